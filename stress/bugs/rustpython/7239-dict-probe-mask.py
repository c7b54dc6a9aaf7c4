# RustPython/RustPython#7239: a lookup leaves the lock for __eq__ and goes on with the old mask
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Key:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n % 4

    def __eq__(self, other):
        return self.n == other.n


keys = [Key(i) for i in range(12)]
table = dict.fromkeys(keys, 1)
if FAULT == "lost":
    del table[keys[0]]


def look():
    for _ in range(2):
        for key in keys:
            if key not in table:
                hit("a key that is there was not found")


def grow():
    for _ in range(2):
        for i in range(100, 140):
            table[Key(i)] = 1
        for i in range(100, 140):
            table.pop(Key(i), None)


again(look, look, grow)
