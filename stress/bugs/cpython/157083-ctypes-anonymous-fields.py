# python/cpython#157083: the expansion of anonymous fields walks the public _fields_ list
# without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes


fields = [("f%d" % i, ctypes.c_int) for i in range(20)]


class Inner(ctypes.Structure):
    _fields_ = fields


def change():
    for _ in range(5):
        Inner._fields_.clear()
        Inner._fields_.extend([("f%d" % i, ctypes.c_int) for i in range(20)])


def define():
    for _ in range(5):
        type("Outer", (ctypes.Structure,), {"_anonymous_": ["a"], "_fields_": [("a", Inner)]})


again(change, change, define, define)
