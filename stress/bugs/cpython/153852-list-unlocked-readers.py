# python/cpython#153852: unpacking, b''.join() and marshal.dumps() read size and items of a list
# without its lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import marshal


items = [b"a", b"b", b"c"]


def resize():
    for _ in range(50):
        items.append(b"d")
        items.pop()


def read():
    for _ in range(50):
        b"".join(items)
        a, *b = items


def dump():
    for _ in range(50):
        marshal.dumps(items)


again(resize, read, dump)
