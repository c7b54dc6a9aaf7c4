# python/cpython#152355: attributes of a frame from sys._current_frames() are read while its
# thread runs on
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def deep(n):
    local = [n]
    return deep(n - 1) if n else local


def recurse():
    for _ in range(20):
        deep(20)


def look():
    for _ in range(20):
        for frame in sys._current_frames().values():
            while frame:
                frame.f_lineno
                frame.f_locals
                frame = frame.f_back


again(recurse, recurse, look)
