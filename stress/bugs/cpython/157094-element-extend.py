# python/cpython#157094: Element.extend(list) reads a shared list without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import xml.etree.ElementTree


Element = xml.etree.ElementTree.Element
shared = [Element("c") for _ in range(10)]


def extend():
    for _ in range(20):
        Element("x").extend(shared)


def change():
    for _ in range(20):
        shared.clear()
        shared.extend([Element("c") for _ in range(10)])


again(extend, extend, change, change)
