# python/cpython#157072: array.fromlist() converts borrowed items while the list replaces them
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import array


source = [10**18 + i for i in range(10)]


def convert():
    for _ in range(50):
        array.array("Q").fromlist(source)


def replace():
    for _ in range(50):
        for i in range(10):
            source[i] = 10**18 + i


again(convert, convert, replace, replace)
