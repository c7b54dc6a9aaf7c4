# python/cpython#153928: next() on one str iterator: check and increment of the index are
# separate, a read past the end
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
LETTER = "b" if FAULT == "dirt" else "a"


def fresh():
    return iter("".join([LETTER] * 50) + "\u00e9\u4e00")


slot = [fresh()]


def advance():
    for _ in range(200):
        letter = next(slot[0], None)
        if letter is None:
            slot[0] = fresh()
        elif letter not in "a\u00e9\u4e00":
            hit("a letter from nowhere: %a" % letter)


again(advance, advance, advance, advance)
