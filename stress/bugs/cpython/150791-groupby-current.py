# python/cpython#150791: two next() on one groupby overwrite the current grouper and the key
# slots
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools


class Key:
    def __init__(self, n):
        if FAULT != "raise":
            self.n = n

    def __eq__(self, other):
        return self.n == other.n


def fresh():
    return itertools.groupby(Key(i // 3) for i in range(300))


slot = [fresh()]


def walk():
    try:
        for _, group in slot[0]:
            list(group)
        slot[0] = fresh()
    except (AttributeError, SystemError) as e:
        hit(repr(e))


again(walk, walk, walk, walk)
