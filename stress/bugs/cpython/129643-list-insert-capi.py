# python/cpython#129643: list insert and set item from C without the lock, reached through
# library code
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import bisect


items = [1, 2, 3]


def insert():
    for _ in range(50):
        bisect.insort(items, 2)
        items.pop()


def walk():
    for _ in range(50):
        for _ in items:
            pass


again(insert, walk, walk)
