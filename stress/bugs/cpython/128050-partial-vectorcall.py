# python/cpython#128050: the first call of a partial that needs the slow path clears its call
# slot while others read it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import functools


def turn():
    def target(*args, **kwargs):
        pass


    partials = [functools.partial(target, a=42) for _ in range(500)]

    def call():
        for partial in partials:
            partial(b=1)
            partial(1, 2, 3)

    together(call, call)


rounds(turn)
