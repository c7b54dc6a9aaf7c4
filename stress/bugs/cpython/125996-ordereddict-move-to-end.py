# python/cpython#125996: OrderedDict.move_to_end() against clear() on the linked list of nodes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections


class Refuses(collections.OrderedDict):
    move_to_end = raises(SystemError("planted"))


shared = (Refuses if FAULT == "raise" else collections.OrderedDict).fromkeys("abc")


def move():
    try:
        for _ in range(50):
            shared.move_to_end("a")
            shared.move_to_end("b", last=False)
    except SystemError as e:
        hit(repr(e))


def clear():
    try:
        for _ in range(50):
            shared.clear()
            shared["a"] = shared["b"] = shared["c"] = 1
    except SystemError as e:
        hit(repr(e))


again(move, move, clear, clear)
