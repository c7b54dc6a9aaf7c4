# python/cpython#130263: list iterators store their index with plain writes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
items = list(range(1000))
slot = [iter(items)]


def advance():
    for _ in range(200):
        if next(slot[0], None) is None:
            slot[0] = iter(items)


again(advance, advance)
