# python/cpython#127065: one operator.methodcaller writes the receiver into an argument array
# that all threads share
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import operator


keys = operator.methodcaller("keys")
first, second = {1: 1}, {2: 2}
if FAULT == "foreign":
    first = second
if FAULT == "raise":
    keys = raises(TypeError("planted"))


def one():
    try:
        for _ in range(50):
            if list(keys(first)) != [1]:
                hit("the keys of another dict")
    except TypeError as e:
        hit(repr(e))


def two():
    try:
        for _ in range(50):
            if list(keys(second)) != [2]:
                hit("the keys of another dict")
    except TypeError as e:
        hit(repr(e))


again(one, two)
