# python/cpython#123271: two next() on one zip reuse the cached tuple
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
items = [str(i) for i in range(100)]


class Reused(tuple):
    def __getitem__(self, i):
        return object()  # another item at every look


def fresh():
    pairs = zip(items, items)
    return map(Reused, pairs) if FAULT == "reused" else pairs


slot = [fresh()]


def advance():
    for _ in range(100):
        pair = next(slot[0], None)
        if pair is None:
            slot[0] = fresh()
        else:
            item = pair[0]
            if pair[0] is not item:
                hit("a tuple changed in the hands of its owner")


again(advance, advance, advance, advance)
