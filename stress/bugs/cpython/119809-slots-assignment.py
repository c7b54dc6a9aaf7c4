# python/cpython#119809: heavy assignment to one __slots__ attribute by two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Point:
    __slots__ = ("x",)


point = Point()
point.x = [0]


def assign():
    for _ in range(200):
        point.x = [1]
        point.x


again(assign, assign)
