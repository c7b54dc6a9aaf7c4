# python/cpython#128421: traceback functions on another thread's frames read its instruction
# pointer and locals
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import traceback


def deep(n):
    local = [n]
    return deep(n - 1) if n else local


def recurse():
    for _ in range(5):
        deep(10)


def look():
    for _ in range(5):
        for frame in sys._current_frames().values():
            traceback.extract_stack(frame, limit=20)


again(recurse, recurse, look)
