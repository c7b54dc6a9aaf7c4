# pypy/pypy#5575: two next() on one text file at its end
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import os


slot = [open(os.devnull)]


def advance():
    try:
        for _ in range(50):
            next(slot[0], None)
    except ValueError:
        pass


def replace():
    try:
        for _ in range(50):
            slot[0] = open(os.devnull)
    except ValueError:
        pass


again(advance, advance, replace)
