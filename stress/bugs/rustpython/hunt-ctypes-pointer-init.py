# threadbare/hunt#rustpython-ctypes-pointer-init: p.contents.value = x writes through the address
# of an object that p.__init__() freed
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes


Pointer = ctypes.POINTER(ctypes.c_int)
shared = Pointer(ctypes.c_int(1))


def store():
    for _ in range(100):
        try:
            shared.contents.value = 4
            shared[0] = 5
        except Exception:
            pass


def make():
    for _ in range(100):
        try:
            shared.__init__(ctypes.c_int(7))
        except Exception:
            pass


again(store, make)
