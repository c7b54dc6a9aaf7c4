# python/cpython#157087: d.update([pair]) reads a two-item list as borrowed pointers while its
# items are replaced
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Key:
    pass


pair = [Key(), Key()]


def merge():
    for _ in range(50):
        {}.update([pair])


def replace():
    for _ in range(50):
        pair[0] = Key()
        pair[1] = Key()


again(merge, merge, merge, replace, replace)
