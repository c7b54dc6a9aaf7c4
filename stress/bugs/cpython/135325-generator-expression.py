# python/cpython#135325: two threads iterate one generator expression
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
slot = [(i for i in range(1000))]


def walk():
    for _ in range(5):
        for _ in slot[0]:
            pass
        slot[0] = (i for i in range(1000))


again(walk, walk, walk)
