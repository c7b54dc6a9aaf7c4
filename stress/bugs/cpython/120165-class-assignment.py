# python/cpython#120165: o.__class__ = B against type(o) and attribute access
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class One:
    tag = 3 if FAULT == "foreign" else 1


class Two:
    tag = 2


object_ = One()


def assign():
    for _ in range(50):
        object_.__class__ = Two
        object_.__class__ = One


def read():
    for _ in range(50):
        if object_.tag not in (1, 2):
            hit("tag of no class")


again(assign, read, read)
