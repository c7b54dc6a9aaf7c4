# python/cpython#129107: any two bytearray methods of which one resizes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = bytearray(b"y" * 100)


def resize():
    for _ in range(50):
        shared.extend(b"x" * 1000)
        shared.clear()


def read():
    for _ in range(50):
        shared.find(b"z")
        bytes(shared)
        shared + b"a"


again(resize, resize, read, read)
