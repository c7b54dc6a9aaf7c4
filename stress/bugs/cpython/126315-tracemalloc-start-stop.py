# python/cpython#126315: tracemalloc.start() and stop() from several threads while others
# allocate
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import tracemalloc


def toggle():
    for _ in range(5):
        tracemalloc.start()
        tracemalloc.reset_peak()
        tracemalloc.stop()


def allocate():
    for _ in range(5):
        [[i] for i in range(100)]


again(toggle, toggle, toggle, allocate)
