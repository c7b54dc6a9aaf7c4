# python/cpython#132641: cache_clear() unlinks the LRU list while a miss inserts
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import functools


@functools.lru_cache(maxsize=16)
def square(x):
    return str(x)


keys = [1000 * i for i in range(64)]


def call():
    for _ in range(50):
        for key in keys:
            square(key)


def clear():
    for _ in range(50):
        square.cache_clear()


again(call, call, call, clear)
