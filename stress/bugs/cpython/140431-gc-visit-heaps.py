# python/cpython#140431: the collector walks heap pages of other threads and meets half-
# initialised blocks
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


def allocate():
    for _ in range(5):
        [[i] for i in range(100)]


def collect():
    for _ in range(5):
        gc.collect()


again(allocate, allocate, collect)
