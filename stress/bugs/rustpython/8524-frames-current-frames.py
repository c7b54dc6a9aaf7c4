# RustPython/RustPython#8524-frames: sys._current_frames() reads another thread's frame pointer
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def deep(n):
    return deep(n - 1) if n else 0


def recurse():
    for _ in range(5):
        deep(10)


def look():
    for _ in range(5):
        for frame in sys._current_frames().values():
            frame.f_lineno


again(recurse, recurse, look)
