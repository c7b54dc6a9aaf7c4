# numpy/numpy#27199: arr += 1 and repr(arr) on one object array exchange elements without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import numpy
except ImportError as e:
    skip(e)

values = numpy.array([10**6 + i for i in range(50)], dtype=object)


def add():
    global values
    for _ in range(20):
        numpy.add(values, 1, out=values)


def read():
    for _ in range(20):
        values.sum()


again(add, add, read, read)
