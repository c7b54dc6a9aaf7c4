# python/cpython#144356: next() on one set iterator writes its cursor outside the lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    items = iter({str(i) for i in range(4096)})
    if FAULT == "twice":
        items = iter([str(i // 2) for i in range(4096)])
    seen = []

    def drain():
        mine = []
        for item in items:
            mine.append(item)
        seen.extend(mine)

    together(drain, drain)
    if len(seen) != len(set(seen)):
        hit("an item came twice: %d for %d" % (len(seen), len(set(seen))))


rounds(turn)
