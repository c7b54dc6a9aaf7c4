# python/cpython#157072: array.fromlist() converts borrowed items while the list replaces them
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import array


class Number:
    __slots__ = ()

    def __index__(self):
        return 7


source = [Number() for _ in range(50)]


def convert():
    for _ in range(20):
        array.array("Q").fromlist(source)


def replace():
    for _ in range(20):
        for i in range(50):
            source[i] = Number()


again(convert, convert, replace)
