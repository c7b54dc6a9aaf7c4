# threadbare/hunt#cpython-traceback-next: tb.tb_next = x frees the chain that another thread
# walks
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def deep(n):
    if n:
        deep(n - 1)
    raise ValueError(n)


def build(n):
    try:
        deep(n)
    except ValueError as e:
        return e.__traceback__


shared = build(2)


def store():
    for _ in range(100):
        try:
            shared.tb_next = build(2)
        except Exception:
            pass


def walk():
    for _ in range(100):
        try:
            shared.tb_next.tb_next.tb_frame.f_code
        except Exception:
            pass


again(store, walk)
