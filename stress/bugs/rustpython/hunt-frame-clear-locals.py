# threadbare/hunt#rustpython-frame-clear-locals: frame.clear() drops the locals that a write to
# frame.f_locals stores into
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


def build(v):
    a = v
    b = [v]
    return sys._getframe()


shared = [build(1)] * 100


def clear():
    shared[:] = [build(i) for i in range(100)]
    for frame in list(shared):
        frame.clear()


def store():
    for frame in list(shared):
        frame.f_locals["a"] = "x" + str(time)[:1]


again(clear, store)
