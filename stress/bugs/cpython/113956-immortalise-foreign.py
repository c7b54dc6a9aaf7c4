# python/cpython#113956: setattr() with a fresh key makes a string of another thread immortal
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


def turn():
    class Box:
        pass


    stem = str(time.monotonic_ns())
    box, keys = Box(), ["k" + stem + str(i) for i in range(300)]

    def store():
        for key in keys:
            setattr(box, key, 1)

    together(store, store, store)


rounds(turn)
