# python/cpython#128485: callbacks are allocated by an allocator without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes


prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)


def make():
    for _ in range(5):
        calls = [prototype(abs) for _ in range(20)]
        for call in calls:
            call(-1)
        del calls


again(make, make, make, make)
