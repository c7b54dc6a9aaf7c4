# python/cpython#146007: array.clear() and refill against array[0]
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import array


VALUES = range(1, 11) if FAULT == "another" else range(10)
shared = array.array("q", range(10))


def refill():
    for _ in range(50):
        del shared[:]
        shared.extend(VALUES)


def read():
    for _ in range(50):
        if shared[3] != 3:
            hit("shared[3] is %r" % shared[3])


again(refill, refill, read, read)
