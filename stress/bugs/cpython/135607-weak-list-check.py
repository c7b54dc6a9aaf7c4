# python/cpython#135607: C types test their weak-reference list before clearing it and race with
# a new reference
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections
import weakref


slot = [collections.deque()]


def drop():
    for _ in range(50):
        slot[0] = collections.deque()


def refer():
    for _ in range(50):
        weakref.ref(slot[0])


again(drop, refer, refer)
