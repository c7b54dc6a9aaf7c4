# micropython/micropython#17655: add and remove of one set from two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ROUNDS = many(200)
SIZE = 19 if FAULT == "lost" else 20


def turn():
    sets = [set() for _ in range(ROUNDS)]

    def add(first):
        for it in sets:
            for i in range(first, first + SIZE):
                it.add(i)

    def drop():
        for it in sets:
            it.add(-1)
            it.discard(-1)

    together(lambda: add(0), lambda: add(20), drop)
    for it in sets:
        if sorted(it) != list(range(40)):
            hit("40 items, added by two threads, are %d" % len(it))


rounds(turn)
