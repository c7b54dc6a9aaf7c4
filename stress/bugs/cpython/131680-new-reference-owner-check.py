# python/cpython#131680: memory reused from a free list is initialised again while a reader
# still checks its owner
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


slot = [(1, 2)]


def write():
    for _ in range(50):
        slot[0] = (1, time)
        slot[0] = None


def read():
    for _ in range(50):
        slot[0]


again(write, read, read)
