# python/cpython#157841: partial.__setstate__() frees function, args and kwargs while repr() or
# a call uses them
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import functools


def target(*args):
    return args


partial = functools.partial(target, 1)


def set_state():
    for _ in range(50):
        partial.__setstate__((target, ([1],), {}, None))


def use():
    for _ in range(50):
        repr(partial)
        partial()


again(set_state, set_state, use, use)
