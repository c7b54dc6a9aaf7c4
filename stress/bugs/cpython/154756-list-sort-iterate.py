# python/cpython#154756: list.sort() rewrites slots with plain stores while others iterate the
# same list
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
source = [str(i) for i in range(500)]
items = list(source)


def sort():
    for _ in range(5):
        items[:] = source
        items.sort()


def walk():
    for _ in range(5):
        for _ in items:
            pass


again(sort, walk, walk)
