# micropython/micropython#2165: append, pop and index of one list from two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ROUNDS = many(200)
SIZE = 49 if FAULT == "lost" else 50


def turn():
    lists = [[] for _ in range(ROUNDS)]

    def grow():
        for it in lists:
            for i in range(SIZE):
                it.append([i])
                it[0]

    def shrink():
        for it in lists:
            for i in range(50):
                it.append([i])
                it.append(i)
                it.pop()

    together(grow, shrink)
    for it in lists:
        if len(it) != 100:
            hit("a list that got 100 items more than were taken has %d" % len(it))


rounds(turn)
