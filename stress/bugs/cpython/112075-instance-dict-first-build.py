# python/cpython#112075: two threads build the __dict__ of one instance at once
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    class Record:
        if FAULT == "two":
            __dict__ = property(lambda self: {})  # a new one each time


    records = [Record() for _ in range(many(2000))]
    seen, at, turns = ([], []), [0, 0], [1, 0]

    def build():
        me = turns.pop()
        for i, record in enumerate(records):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(record.__dict__)

    together(build, build)
    for group in zip(*seen):
        if any(d is not group[0] for d in group):
            hit("one object, two __dict__")


rounds(turn)
