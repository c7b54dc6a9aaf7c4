# python/cpython#157117: OSError.__reduce__() reads args and their items while e.args is
# replaced
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


error = OSError(2, "text", "name")


def replace():
    for _ in range(50):
        error.args = (2, "m%d" % time.monotonic_ns())


def reduce():
    for _ in range(50):
        error.__reduce__()


again(replace, replace, reduce, reduce)
