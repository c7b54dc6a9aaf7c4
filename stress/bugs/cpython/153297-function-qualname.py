# python/cpython#153297: f.__qualname__ = s replaces and frees without a lock; so do __name__
# and __defaults__
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def target(x=1, y=2):
    return x


def assign():
    item = [1]
    while going():
        for _ in range(500):
            target.__defaults__ = (item, item)


def read():
    try:
        for _ in range(500):
            target.__defaults__
            target()
    except TypeError:
        pass


run(assign, assign, read)
