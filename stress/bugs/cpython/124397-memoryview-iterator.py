# python/cpython#124397: next() on one memoryview iterator: no lock, the view is dropped twice
# at the end
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def fresh():
    return iter(memoryview(bytes(range(4))))


slot = [raises(ValueError("operation forbidden on released memoryview object")) if FAULT == "raise" else fresh()]


def advance():
    try:
        for _ in range(200):
            try:
                next(slot[0])
            except StopIteration:
                slot[0] = fresh()
    except ValueError as e:
        hit(repr(e))


again(advance, advance, advance, advance)
