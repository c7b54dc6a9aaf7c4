# python/cpython#128384: catch_warnings() saves and restores a filter list that threads
# interleave on
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import warnings


def turn():
    before = list(warnings.filters)

    def warn():
        for _ in range(50):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.warn("w")

    together(warn, warn, warn, warn)
    if FAULT == "lost":
        warnings.filters.pop()
    if warnings.filters != before:
        hit("%d filters before, %d after" % (len(before), len(warnings.filters)))


rounds(turn)
