# python/cpython#154527: repr() or a missing key uses default_factory as a borrowed pointer
# while it is assigned
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections


shared = collections.defaultdict(list)


def assign():
    for _ in range(50):
        shared.default_factory = lambda: 0


def use():
    for _ in range(50):
        repr(shared)
        shared[object()]
        shared.clear()


again(assign, assign, use, use)
