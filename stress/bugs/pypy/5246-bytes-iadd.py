# pypy/pypy#5246: lost updates of x += chunk on a shared variable
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    shared = [b"" if FAULT != "lost" else b"x"]

    def add():
        for _ in range(500):
            shared[0] += b"x"

    together(add, add)
    if len(shared[0]) != 1000:
        hit("%d of 1000 bytes" % len(shared[0]))


rounds(turn)
