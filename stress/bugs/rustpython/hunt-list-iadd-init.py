# threadbare/hunt#rustpython-list-iadd-init: l += [1] adds its item between the emptying and the
# filling of l.__init__()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ROUNDS = many(300)
FILLING = [0, 1, 2] if FAULT == "between" else [1, 2]


def turn():
    shared = [[] for _ in range(ROUNDS)]
    arrived = [[0] * ROUNDS, [0] * ROUNDS]

    def meet(me, i):
        arrived[me][i] = 1
        while not arrived[1 - me][i]:
            pass

    def first():
        for i, it in enumerate(shared):
            meet(0, i)
            it += [0]

    def second():
        for i, it in enumerate(shared):
            meet(1, i)
            it.__init__(FILLING)

    run(first, second)
    for it in shared:
        if it[0] == 0:
            hit("l += [0] beside l.__init__([1, 2]) gave %r" % it)


rounds(turn)
