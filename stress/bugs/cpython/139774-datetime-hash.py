# python/cpython#139774: first hash(datetime) in two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import datetime


def turn():
    values = [datetime.datetime(2000, 1, 1, 0, 0, i % 60) for i in range(500)]

    def hash_it():
        for value in values:
            hash(value)

    together(hash_it, hash_it)


rounds(turn)
