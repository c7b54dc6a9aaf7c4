# python/cpython#157076: bytearray.__init__(n) resizes, drops the lock, then fills; a second one
# shrinks in between
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = bytearray(10)


def grow():
    for _ in range(50):
        shared.__init__(8192)


def shrink():
    for _ in range(50):
        shared.__init__(1)


again(grow, grow, shrink, shrink)
