# python/cpython#150411: gc.get_count() reads the young counter while allocating threads flush
# their own
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


def allocate():
    for _ in range(10):
        [[] for _ in range(1000)]


def ask():
    for _ in range(10):
        gc.get_count()


again(allocate, ask)
