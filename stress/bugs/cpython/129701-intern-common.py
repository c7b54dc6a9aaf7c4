# python/cpython#129701: interning one new string in several threads rewrites its reference
# count with a plain store
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


intern_it = str.strip if FAULT == "two" else sys.intern


def turn():
    stem = str(time.monotonic_ns())
    seen, at, turns = ([], []), [0, 0], [1, 0]

    def intern():
        me = turns.pop()
        for i in range(many(500)):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(intern_it("k" + stem + str(i)))

    together(intern, intern)
    if any(a is not b for a, b in zip(*seen)):
        hit("equal interned strings are two objects")


rounds(turn)
