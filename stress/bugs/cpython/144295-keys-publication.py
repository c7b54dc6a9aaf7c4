# python/cpython#144295: a resized keys table is filled with plain stores while a reader already
# looks at it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Box:
    def read(self):
        return 1


box = Box()


def write():
    for _ in range(50):
        box.x = 1
        box.__dict__.pop("x", None)


def call():
    for _ in range(50):
        box.read()


again(write, call, call)
