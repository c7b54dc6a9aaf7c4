# python/cpython#148873: next() reads the dict pointer of an iterator while another next()
# clears it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
slot = [iter({i: i for i in range(1000)})]


def advance():
    for _ in range(200):
        try:
            next(slot[0])
        except StopIteration:
            slot[0] = iter({i: i for i in range(1000)})


again(advance, advance)
