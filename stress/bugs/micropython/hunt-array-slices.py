# threadbare/hunt#micropython-array-slices: two slice assignments that shrink one array: the
# length of the part that moves goes below zero
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import array

empty = array.array("h")
holder = [array.array("h", [1, 2, 3, 4])]


def cut():
    for _ in range(100):
        holder[0][1:2] = empty


def shrink():
    for _ in range(100):
        it = holder[0] = array.array("h", [1, 2, 3, 4])
        it[:] = empty


again(cut, shrink)
