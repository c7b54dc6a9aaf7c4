# python/cpython#145036: list.__sizeof__() reads the capacity while append() and pop() resize
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
items = []


def grow():
    for _ in range(50):
        for _ in range(20):
            items.append(1)
        items.clear()


def size():
    for _ in range(50):
        items.__sizeof__()


again(grow, size)
