# threadbare/hunt#rustpython-ordereddict-popitem-clear: OrderedDict.popitem() unlinks a node of
# an order that clear() has emptied
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections


shared = collections.OrderedDict()


def pop():
    for _ in range(100):
        try:
            shared[1] = shared[2] = shared[3] = 1
            shared.popitem()
        except Exception:
            pass


def clear():
    for _ in range(100):
        try:
            shared.clear()
        except Exception:
            pass


again(pop, clear)
