# python/cpython#132713: repr(list) uses a borrowed item that another thread removes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Item:
    def __repr__(self):
        return "x" * 10


items = [Item() for _ in range(20)]


def show():
    for _ in range(50):
        repr(items)


def change():
    for _ in range(50):
        items.pop()
        items.append(Item())


again(show, show, change, change)
