# python/cpython#127192: exc.__init__() replaces args while repr() or __getstate__() reads them
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


error = Exception("x")


def init():
    for _ in range(50):
        error.__init__("a%d" % time.monotonic_ns())


def read():
    for _ in range(50):
        repr(error)
        str(error)
        error.args


again(init, init, read, read)
