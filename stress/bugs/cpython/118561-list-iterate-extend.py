# python/cpython#118561: iterating a list while another thread extends it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
items = [str(i) for i in range(10)]


def extend():
    for _ in range(50):
        items.extend([str(len(items))] * 200)
        del items[10:]


def walk():
    for _ in range(50):
        for _ in items:
            pass


again(extend, walk, walk)
