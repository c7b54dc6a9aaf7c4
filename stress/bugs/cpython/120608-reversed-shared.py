# python/cpython#120608: next() on one reversed(list): index and sequence are updated without
# atomics
# That two threads get one item is allowed (as python/cpython#120496): only the crash is a fault.
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def fresh():
    return reversed([str(i) for i in range(4)])


slot = [fresh()]


def advance():
    for _ in range(200):
        if next(slot[0], None) is None:
            slot[0] = fresh()


again(advance, advance, advance, advance)
