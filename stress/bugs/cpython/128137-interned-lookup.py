# python/cpython#128137: a lookup in the interned table reads string flags while another thread
# marks the string
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


def turn():
    stem = str(time.monotonic_ns())

    def make():
        for i in range(100):
            type("C" + stem + str(i), (), {"a" + stem + str(i): 1})

    together(make, make)


rounds(turn)
