# python/cpython#154130: two next() reach the end of one dict iterator and both drop its only
# reference to the dict
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
slot = [iter({"a": 1, "b": 2, "c": 3, "d": 4})]


def advance():
    try:
        for _ in range(200):
            try:
                next(slot[0])
            except StopIteration:
                slot[0] = iter({i: str(i) for i in range(4)})
    except (RuntimeError, TypeError):
        pass


again(advance, advance, advance, advance)
