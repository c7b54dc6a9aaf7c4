# python/cpython#120496: two next() on one iterator skip or repeat items
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    class Sequence:
        def __getitem__(self, i):
            if i >= 2000:
                raise IndexError
            return i // 2 if FAULT == "twice" else i


    items = iter(Sequence())
    seen = []

    def drain():
        mine = list(items)
        seen.extend(mine)

    together(drain, drain)
    if len(seen) != len(set(seen)):
        hit("an item came twice")


rounds(turn)
