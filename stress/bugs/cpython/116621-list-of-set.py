# python/cpython#116621: list(set) while another thread adds and removes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = set(range(100))


def change():
    try:
        for _ in range(50):
            shared.add(200)
            shared.discard(200)
    except RuntimeError as e:
        hit(repr(e))


copied = raises(RuntimeError("Set changed size during iteration")) if FAULT == "raise" else shared


def copy():
    try:
        for _ in range(50):
            list(copied)
    except RuntimeError as e:
        hit(repr(e))


again(change, copy, copy)
