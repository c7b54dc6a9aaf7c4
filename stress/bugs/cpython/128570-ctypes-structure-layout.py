# python/cpython#128570: structures that use the same field types are defined at once
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes


def turn():
    class Shared(ctypes.Structure):
        _fields_ = [("x", ctypes.c_int)]

    def define():
        for _ in range(100):
            type("S", (ctypes.Structure,), {"_fields_": [("p", ctypes.POINTER(Shared)), ("s", Shared)]})()

    together(define, define)


rounds(turn)
