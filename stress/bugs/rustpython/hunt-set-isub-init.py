# threadbare/hunt#rustpython-set-isub-init: s -= other takes single items away while s.__init__()
# fills s again
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ROUNDS = many(300)
numbers = set(range(0, 60, 2))
FILLING = range(19) if FAULT == "between" else range(20)


def turn():
    shared = [set() for _ in range(ROUNDS)]
    arrived = [[0] * ROUNDS, [0] * ROUNDS]

    def meet(me, i):
        arrived[me][i] = 1
        while not arrived[1 - me][i]:
            pass

    def first():
        for i, it in enumerate(shared):
            meet(0, i)
            it -= numbers

    def second():
        for i, it in enumerate(shared):
            meet(1, i)
            it.__init__(FILLING)

    run(first, second)
    for it in shared:
        if len(it) not in (10, 20):
            hit("s -= evens beside s.__init__(range(20)) left %d items" % len(it))


rounds(turn)
