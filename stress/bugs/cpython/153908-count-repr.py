# python/cpython#153908: repr(count) reads plainly against the atomic increment of next()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools


counter = itertools.count()


def advance():
    for _ in range(50):
        next(counter)


def show():
    for _ in range(50):
        repr(counter)


again(advance, show)
