# threadbare/hunt#rustpython-bytearray-add-clear: b + b takes the lock of one bytearray twice,
# clear() waits between
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = bytearray(4000)


def add():
    for _ in range(100):
        try:
            shared + shared
        except Exception:
            pass


def clear():
    for _ in range(100):
        try:
            shared.clear()
            shared.append(1)
        except Exception:
            pass


again(add, clear)
