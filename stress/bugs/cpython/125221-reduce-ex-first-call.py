# python/cpython#125221: the first __reduce_ex__ of a process initialises a global lookup
# without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Box:
    pass


class Other:
    pass


def trial():  # runs in a process of its own: what is raced is a first use
    box = Other() if FAULT == "foreign" else Box()

    def reduce():
        how = box.__reduce_ex__(2)
        if how[1] != (Box,):
            hit("an object is reduced to %r" % (how,))

    together(reduce, reduce)


forked(trial)
