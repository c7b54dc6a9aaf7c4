# RustPython/RustPython#8040: iter(f, sentinel) holds its lock while it compares with a sentinel
# whose __eq__ advances it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
depth = []


class Sentinel:
    def __eq__(self, other):
        if not depth:
            depth.append(1)
            next(it, None)
        return True


it = iter(lambda: 1, Sentinel())
next(it, None)
