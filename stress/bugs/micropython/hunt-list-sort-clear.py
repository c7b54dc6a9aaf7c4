# threadbare/hunt#micropython-list-sort-clear: list.sort() walks items while clear() gives their
# memory back
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = [8, 3, 5, 1]


def sort():
    for _ in range(100):
        shared.sort()


def clear():
    for _ in range(100):
        shared.clear()
        shared.extend([8, 3, 5, 1])


again(sort, clear)
