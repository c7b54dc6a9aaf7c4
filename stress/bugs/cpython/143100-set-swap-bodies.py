# python/cpython#143100: s &= other swaps table bodies with memcpy while `x in s` reads them
# without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = {1, 2, 3}


def swap():
    for _ in range(50):
        global shared
        shared &= {1, 2}
        shared |= {3}


def read():
    for _ in range(50):
        3 in shared


again(swap, read, read)
