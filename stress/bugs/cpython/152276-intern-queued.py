# python/cpython#152276: a string is queued for merging of its count, then becomes immortal
# before the queue is handled
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


def turn():
    strings = ["s%d" % (time.monotonic_ns() + i) for i in range(2000)]
    shared = list(strings)

    def intern():
        list(map(sys.intern, strings))
        strings.clear()

    def drop():
        shared.clear()

    together(intern, drop)


rounds(turn)
