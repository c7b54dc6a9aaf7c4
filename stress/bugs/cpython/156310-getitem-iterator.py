# python/cpython#156310: the iterator over a class with only __getitem__ drops the sequence once
# per thread at the end
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Sequence:
    def __getitem__(self, i):
        if i > 3:
            raise IndexError
        return i


slot = [iter(Sequence())]


def advance():
    for _ in range(100):
        if next(slot[0], None) is None:
            slot[0] = iter(Sequence())


again(advance, advance, advance, advance)
