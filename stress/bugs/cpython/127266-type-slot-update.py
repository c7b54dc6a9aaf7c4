# python/cpython#127266: assigning a dunder updates type slots while other threads run
# operations that read them
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Items:
    def __len__(self):
        return 1

    def __getitem__(self, i):
        return i


items = Items()


def assign():
    for _ in range(50):
        Items.__len__ = lambda self: 2
        Items.__getitem__ = lambda self, i: i


def use():
    for _ in range(50):
        len(items)
        items[0]


again(assign, use, use)
