# python/cpython#126314: tracemalloc.take_snapshot() against clear_traces()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import tracemalloc


tracemalloc.start()
keep = [[i] for i in range(2000)]


def snapshot():
    tracemalloc.take_snapshot()


def clear():
    tracemalloc.clear_traces()
    [[i] for i in range(100)]


again(snapshot, snapshot, clear, clear)
