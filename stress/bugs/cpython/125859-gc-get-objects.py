# python/cpython#125859: gc.get_objects() reuses the collector's work list links while another
# thread collects
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


class Node:
    def __del__(self):
        gc.get_objects()


def collect():
    a, b = Node(), Node()
    a.b, b.a = b, a
    del a, b
    gc.collect()


def objects():
    gc.get_objects()


def referrers():
    gc.get_referrers(Node)


again(collect, objects, referrers)
