# python/cpython#128567: the first use of a function prototype marks its layout final from
# several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes


def turn():
    prototypes = [type("F", (ctypes._CFuncPtr,), {"_flags_": 1, "_restype_": None, "_argtypes_": (ctypes.c_void_p,)}) for _ in range(100)]

    def use():
        for prototype in prototypes:
            prototype(print)

    together(use, use)


rounds(turn)
