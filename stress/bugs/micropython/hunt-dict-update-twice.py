# threadbare/hunt#micropython-dict-update-twice: one new key stored by two threads takes two
# slots: a dict has more entries than there are keys
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ROUNDS = many(200)
NAMES = ["k", "l"] if FAULT == "another" else ["k", "k"]


def turn():
    tables = [{} for _ in range(ROUNDS)]
    arrived = [[0] * ROUNDS, [0] * ROUNDS]

    def work(me):
        name = NAMES[me]
        for i in range(ROUNDS):
            arrived[me][i] = 1
            while not arrived[1 - me][i]:
                pass
            tables[i][name] = me

    run(lambda: work(0), lambda: work(1))
    for table in tables:
        if len(list(table)) > 1:
            hit("the one key is there %d times" % len(list(table)))


rounds(turn)
