# python/cpython#151627: a new OrderedDict iterator reads head node and size without the lock
# while nodes are freed
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections


shared = collections.OrderedDict(a=1, b=2)


def walk():
    for _ in range(50):
        list(shared)
        list(reversed(shared))
        list(shared.items())


def clear():
    for _ in range(50):
        shared.clear()
        shared.update(a=[1], b=[2])


again(walk, walk, clear, clear)
