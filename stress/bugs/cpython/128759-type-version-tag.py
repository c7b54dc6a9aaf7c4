# python/cpython#128759: the version tag of a type is read and assigned plainly
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections.abc


class Box:
    pass


box = Box()


def assign():
    for _ in range(50):
        Box.x = 1
        Box.y = 2


def look():
    for _ in range(50):
        isinstance(box, collections.abc.Sized)
        box.x


again(assign, look, look)
