# python/cpython#126316: grp.getgrall() walks a cursor of the C library that all threads share
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import grp


count = len(grp.getgrall()) + (FAULT == "lost")


def ask():
    seen = len(grp.getgrall())
    if seen != count:
        hit("%d groups, then %d" % (count, seen))


again(ask, ask)
