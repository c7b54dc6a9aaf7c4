# python/cpython#131113: popitem() empties entries and index table while a lookup without a lock
# walks them
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
table = {str(i): i for i in range(8)}
keys = list(table)


def refill():
    for _ in range(50):
        for key in keys:
            table[key] = 1
        while table:
            table.popitem()


def read():
    for _ in range(50):
        for key in keys:
            table.get(key)


again(refill, read, read)
