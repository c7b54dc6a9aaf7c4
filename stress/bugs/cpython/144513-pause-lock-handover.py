# python/cpython#144513: the fair hand-over of a lock gives it to a thread that is already
# paused
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc
import time


shared = [str(i) for i in range(200)]


class Box:
    pass


def key(item):
    time.sleep(0.0001)
    Box.__len__ = lambda self: 1
    return item


def sort():
    shared.sort(key=key)


def append():
    shared.append("x")
    shared.pop()


def collect():
    gc.collect()


again(sort, sort, append, append, collect)
