# python/cpython#128144: entries of __slots__ and object-valued C members are read and written
# plainly
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
        point.x = {2: 3}
        point.x = "%d" % id(point)


def read():
    for _ in range(200):
        point.x


again(assign, read, read)
