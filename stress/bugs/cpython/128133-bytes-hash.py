# python/cpython#128133: first hash() of shared bytes in two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    values = [b"x%d" % i for i in range(1000)]

    def hash_it():
        for value in values:
            hash(value)

    together(hash_it, hash_it)


rounds(turn)
