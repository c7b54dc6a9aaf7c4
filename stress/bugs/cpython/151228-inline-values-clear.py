# python/cpython#151228: o.__dict__.get() without a lock against o.__dict__.clear() on values
# embedded in the object
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Point:
    pass


point = Point()
point.x = 1


def clear():
    for _ in range(50):
        point.x = 1
        point.y = 2
        point.__dict__.clear()


def read():
    for _ in range(50):
        point.__dict__.get("x")


again(clear, read, read)
