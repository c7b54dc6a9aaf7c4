# devdanzin/cpython-tsan-findings#TSAN-0037: next() on one bytes iterator: check and increment
# of the index are separate
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
LETTER = b"B" if FAULT == "dirt" else b"A"


def fresh():
    return iter(bytes(bytearray(LETTER * 50)))


slot = [fresh()]


def advance():
    for _ in range(200):
        value = next(slot[0], None)
        if value is None:
            slot[0] = fresh()
        elif value != 65:
            hit("a value from nowhere: %r" % value)


again(advance, advance, advance, advance)
