# python/cpython#132643: attribute specialisation reads an instance's dict slot while another
# thread makes the dict
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import functools


def turn():
    class Partial(functools.partial):
        tag = 1


    objects = [Partial(len) for _ in range(300)]

    def look():
        for o in objects:
            o.tag
            o.tag

    def store():
        for o in objects:
            o.x = 1

    together(look, store)


rounds(turn)
