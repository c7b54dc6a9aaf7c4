# micropython/micropython#13351: stores and removals in one dict from two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ROUNDS = many(200)
OFFSET = 1 if FAULT == "foreign" else 0


def turn():
    tables = [{} for _ in range(ROUNDS)]

    def store(first):
        for table in tables:
            for i in range(first, first + 20):
                table[i] = [i + OFFSET]

    def drop():
        for table in tables:
            table[-1] = 0
            table.pop(-1, None)

    together(lambda: store(0), lambda: store(20), drop)
    for table in tables:
        for i in range(40):
            if table.get(i) != [i]:
                hit("d[%d] = [%d] in one of three threads, and d[%d] is %r" % (i, i, i, table.get(i)))


rounds(turn)
