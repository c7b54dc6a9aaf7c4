# python/cpython#129069: index reads without a lock while slice assignment moves the items with
# memmove
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
items = [str(i) for i in range(64)]


def splice():
    for _ in range(50):
        items[1:1] = ["x"] * 8
        del items[1:9]


def read():
    for _ in range(50):
        items[1]
        for _ in items:
            pass


again(splice, read)
