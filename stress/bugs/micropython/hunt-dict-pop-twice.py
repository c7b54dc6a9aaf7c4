# threadbare/hunt#micropython-dict-pop-twice: one key popped by two threads is counted twice:
# len() says less than the keys that are there
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ROUNDS = many(200)


class Miscounted(dict):
    def __len__(self):
        return 1


make = Miscounted if FAULT == "miscounted" else dict


def turn():
    tables = [make(a=1, b=2, c=3) for _ in range(ROUNDS)]
    arrived = [[0] * ROUNDS, [0] * ROUNDS]

    def work(me):
        for i in range(ROUNDS):
            arrived[me][i] = 1
            while not arrived[1 - me][i]:
                pass
            tables[i].pop("a", None)

    run(lambda: work(0), lambda: work(1))
    for table in tables:
        if len(table) != len(list(table)):
            hit("len() is %d, keys are %r" % (len(table), list(table)))


rounds(turn)
