# python/cpython#132707: repr(gc.get_objects()) meets half-built tuples and lists of other
# threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc

target = []
NULL = "<NU" + chr(76) * 2 + ">"  # made at run time: as a constant it would be found


class Half:
    def __repr__(self):
        return NULL


def objects():
    return [(Half(), 1)] if FAULT == "half" else gc.get_objects()[-2000:]


def show():
    for _ in range(2):
        target.append(None)
        text = repr(objects())
        if "(" + NULL in text or " " + NULL in text:
            hit("a container with an item that is not there")


def allocate():
    for _ in range(2):
        tuple([i] for i in range(20))
        [(i, str(i)) for i in range(50)]


again(show, show, allocate, allocate)
