# python/cpython#129547: C.__annotations__ makes its dict on first access
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    class Meta(type):
        if FAULT == "two":
            __annotations__ = property(lambda cls: {})  # a new one each time

    classes = [Meta("C", (), {}) if FAULT == "two" else type("C", (), {}) for _ in range(many(300))]
    seen, at, turns = ([], []), [0, 0], [1, 0]

    def look():
        me = turns.pop()
        for i, cls in enumerate(classes):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(cls.__annotations__)

    together(look, look)
    if any(a is not b for a, b in zip(*seen)):
        hit("one class, two __annotations__")


rounds(turn)
