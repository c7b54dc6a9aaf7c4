# python/cpython#150858: C.__qualname__ is read while another thread replaces it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Box:
    pass


def assign():
    first, second = "name" * 5, "tail"
    while going():
        for _ in range(500):
            Box.__qualname__ = first + second


def read():
    for _ in range(500):
        Box.__qualname__


run(assign, assign, read)
