# python/cpython#153062: one itertools.tee branch used by many threads corrupts the linked cells
# that branches share
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools


def fresh():
    return itertools.tee(str(i) for i in range(1000))


slot = [fresh()]


def left():
    for _ in range(100):
        if next(slot[0][0], None) is None:
            slot[0] = fresh()


def right():
    for _ in range(100):
        if next(slot[0][1], None) is None:
            slot[0] = fresh()


again(left, left, right, right)
