# python/cpython#146022: Element indexing against clear() and append()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import xml.etree.ElementTree


Element = xml.etree.ElementTree.Element
parent = Element("p")


def change():
    for _ in range(50):
        parent.clear()
        parent.append(Element("c"))


def read():
    for _ in range(50):
        if len(parent):
            parent[0]


again(change, change, read, read)
