# RustPython/RustPython#8518: next() on one tee branch: index read and advance are two steps
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools


def turn():
    branch, _ = itertools.tee(iter(range(1999 if FAULT == "lost" else 2000)))
    seen = []

    def drain():
        mine = list(branch)
        seen.extend(mine)

    together(drain, drain)
    if sorted(seen) != list(range(2000)):
        hit("%d items of 2000, %d different" % (len(seen), len(set(seen))))


rounds(turn)
