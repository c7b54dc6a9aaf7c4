# micropython/micropython#8310: both threads call gc.collect() and allocate
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


def both():
    for _ in range(100):
        sentinel = [str(i) for i in range(10)]
        gc.collect()
        if FAULT == "overwritten":
            sentinel[3] = "x"
        if sentinel != [str(i) for i in range(10)]:
            hit("a live list was overwritten")


again(both, both)
