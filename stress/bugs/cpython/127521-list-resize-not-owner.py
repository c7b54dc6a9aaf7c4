# python/cpython#127521: a thread that does not own a list frees its array at once while the
# owner reads it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
items = list(range(50))


def resize():
    for _ in range(50):
        items.clear()
        items.extend(range(1000, 1050))


def read():
    for _ in range(50):
        items[0]
        items[-1]


again(resize, resize, read, read)
