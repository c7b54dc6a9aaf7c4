# micropython/micropython#13351-instance: new attributes of one instance from two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ROUNDS = many(200)
OFFSET = 1 if FAULT == "foreign" else 0
names = ["k%d" % i for i in range(20)]


class Box:
    pass


def turn():
    boxes = [Box() for _ in range(ROUNDS)]

    def store(first):
        for box in boxes:
            for i in range(first, first + 10):
                setattr(box, names[i], [i + OFFSET])

    together(lambda: store(0), lambda: store(10))
    for box in boxes:
        for i, name in enumerate(names):
            if getattr(box, name, None) != [i]:
                hit("o.%s = [%d] in one of two threads, and it is %r" % (name, i, getattr(box, name, None)))


rounds(turn)
