# python/cpython#118362: class attribute read against replace: the cached lookup result is
# borrowed
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Box:
    x = [0]


def assign():
    for _ in range(50):
        Box.x = [1]


def read():
    for _ in range(50):
        Box.x


again(assign, read, read)
