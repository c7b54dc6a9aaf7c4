# threadbare/hunt#rustpython-memoryview-eq-setitem: a comparison of two views locks their one
# buffer twice, v[0] = x waits between
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = memoryview(bytearray(64)).cast("i")


def compare():
    for _ in range(100):
        try:
            shared == shared[:]
        except Exception:
            pass


def store():
    for _ in range(100):
        try:
            shared[0] = 100
        except Exception:
            pass


again(compare, store)
