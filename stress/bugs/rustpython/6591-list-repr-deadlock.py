# RustPython/RustPython#6591: repr(list) holds the read lock while it calls __repr__, which
# appends
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Item:
    def __repr__(self):
        if len(shared) < 3:
            shared.append(1)
        return "x"


shared = [Item()]
for _ in range(3):
    repr(shared)
