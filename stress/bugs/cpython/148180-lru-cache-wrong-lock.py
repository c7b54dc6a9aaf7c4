# python/cpython#148180: the bounded cache locks the wrapper but calls dict functions that need
# the dict's own lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import functools
import gc


@functools.lru_cache(maxsize=8)
def square(x):
    return x * x


def call():
    for _ in range(2):
        for i in range(20):
            square(i)
            gc.get_objects()


again(call, call)
