# RustPython/RustPython#7416-frames: the collector reads locals of a frame that another thread
# runs
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


def deep(n):
    local = [n, {n: [n]}]
    return deep(n - 1) if n else local


def recurse():
    for _ in range(2):
        deep(15)
        list(i for i in range(10))


def collect():
    for _ in range(2):
        gc.collect()
        gc.get_objects()


again(recurse, recurse, collect)
