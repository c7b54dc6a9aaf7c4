# python/cpython#154037: first hash(Decimal) in two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import decimal


def turn():
    values = [decimal.Decimal(i) for i in range(500)]

    def hash_it():
        for value in values:
            hash(value)

    together(hash_it, hash_it)


rounds(turn)
