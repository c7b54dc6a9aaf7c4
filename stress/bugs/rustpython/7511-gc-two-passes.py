# RustPython/RustPython#7511: the collector asks an object for its referents twice and gets two
# answers
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc
import threading


class Node:
    pass


NAME = "m" if FAULT == "lost" else "n"
root = Node()
root.table = {}
if FAULT == "raise":
    Node.name = property(lambda self: self.missing, lambda self, value: None)
root.me = root


def collect():
    try:
        for _ in range(2):
            gc.collect()
    except (AttributeError, KeyError) as e:
        hit(repr(e))


def store():
    try:
        for _ in range(2):
            node = Node()
            node.me, node.name = node, NAME
            root.table[threading.get_ident()] = node
            if root.table[threading.get_ident()].name != "n":
                hit("a live object lost its attributes")
    except (AttributeError, KeyError) as e:
        hit(repr(e))


again(collect, store, store)
