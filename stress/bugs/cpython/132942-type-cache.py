# python/cpython#132942: the method lookup cache when a class attribute changes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Box:
    pass


box = Box()


def assign():
    for _ in range(50):
        Box.m = lambda self: 1
        Box.m = lambda self: 2
        del Box.m


def call():
    for _ in range(50):
        try:
            box.m()
        except AttributeError:
            pass


again(assign, assign, call, call)
