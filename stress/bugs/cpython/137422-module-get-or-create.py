# python/cpython#137422: the C function that gets or creates a module by name returns two
# objects
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes
import time


need(ctypes.pythonapi, "PyImport_AddModuleRef")
add = ctypes.pythonapi.PyImport_AddModuleRef
add.restype = ctypes.py_object
add.argtypes = (ctypes.c_char_p,)


if FAULT == "two":
    add = lambda name: type(sys)(name.decode())


def turn():
    stem = b"m%d_" % time.monotonic_ns()
    if any(a is not b for a, b in in_step(many(200), lambda i: add(stem + b"%d" % i))):
        hit("one name, two modules")
    for name in [n for n in sys.modules if n.startswith("m") and "_" in n and n[1:2].isdigit()]:
        del sys.modules[name]


rounds(turn)
