# python/cpython#117657: next(itertools.count()) increments with a plain add
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools


def turn():
    counter = itertools.cycle(range(30000)) if FAULT == "twice" else itertools.count()
    seen = [[], []]
    turns = iter(seen)

    def take():
        mine = next(turns)
        for _ in range(20000):
            mine.append(next(counter))

    together(take, take)
    if len(set(seen[0]) | set(seen[1])) != 40000:
        hit("a number came twice")


rounds(turn)
