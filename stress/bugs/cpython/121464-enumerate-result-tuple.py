# python/cpython#121464: two next() on one enumerate reuse the same result tuple and race the
# big index
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Reused(tuple):
    def __getitem__(self, i):
        return object()  # another item at every look


items = [str(i) for i in range(100)]


def fresh():
    pairs = enumerate(items, sys.maxsize - 10)
    return map(Reused, pairs) if FAULT == "reused" else pairs


slot = [fresh()]


def advance():
    for _ in range(100):
        pair = next(slot[0], None)
        if pair is None:
            slot[0] = fresh()
        else:
            item = pair[1]
            if pair[1] is not item:
                hit("a tuple changed in the hands of its owner")


again(advance, advance, advance, advance)
