# python/cpython#154044: the first str.upper.__qualname__ fills a cache without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
NAMES = [m for t in (str, bytes, list, dict, set, int, float, bytearray, tuple) for m in vars(t).values() if hasattr(m, "__objclass__")]
if FAULT == "two":

    class Renamed:
        def __getattr__(self, name):
            return str(now())  # a new name each time

    NAMES = [Renamed()]
NAMES = NAMES[: many(len(NAMES))]


def trial():  # runs in a process of its own: what is raced is a first use
    for a, b in in_step(len(NAMES), lambda i: NAMES[i].__qualname__):
        if a is not b:
            hit("one descriptor, two names: %r" % a)


forked(trial)
