# python/cpython#121368: missing fences in the sequence lock of the lookup cache, on weakly
# ordered processors
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Box:
    x = [0]


box = Box()


def assign():
    for _ in range(50):
        Box.x = [1]


def read():
    for _ in range(50):
        box.x
        Box.x


again(assign, read, read)
