# python/cpython#130571: method lookup on an object with a lazily made plain __dict__ while an
# attribute store makes it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import functools


def turn():
    partials = [functools.partial(len) for _ in range(500)]

    def look():
        for partial in partials:
            partial.__call__

    def store():
        for partial in partials:
            partial.note = 42

    together(look, store)


rounds(turn)
