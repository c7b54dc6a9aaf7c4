# python/cpython#127271: cell_contents is assigned while repr(), comparison and calls use
# borrowed contents
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def make():
    value = [0]
    return lambda: value


call = make()
cell, other = call.__closure__[0], make().__closure__[0]


def assign():
    for _ in range(50):
        cell.cell_contents = [1]


def read():
    for _ in range(50):
        repr(cell)
        cell == other
        call()
        cell.cell_contents


again(assign, assign, read, read)
