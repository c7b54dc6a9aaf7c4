# threadbare/hunt#rustpython-iter-unpack-release: struct.iter_unpack() reads a bytearray that was
# emptied before the iterator counted as an export
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import struct


class Pair:
    def __init__(self):
        self.data = bytearray(b"aabbccdd")
        self.items = struct.iter_unpack("<h", self.data)


shared = [Pair()]


def make():
    for _ in range(100):
        pair = shared[0] = Pair()
        try:
            pair.items = struct.iter_unpack("<h", pair.data)
        except Exception:
            pass


def release():
    for _ in range(100):
        pair = shared[0]
        try:
            next(pair.items, None)
            pair.items = None
            del pair.data[:]
            next(pair.items, None)
        except Exception:
            pass


again(make, release)
