# threadbare/hunt#cpython-generic-alias-iterator: two threads at the end of iter(list[int]) both
# drop the alias
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = [None] * 200


def first():
    shared[:] = [iter(list[int]) for _ in shared]
    for it in list(shared):
        try:
            next(it, None)
        except Exception:
            pass


def second():
    for it in list(shared):
        try:
            list(it)
        except Exception:
            pass


again(first, second)
