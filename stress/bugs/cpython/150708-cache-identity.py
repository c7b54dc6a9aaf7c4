# python/cpython#150708: functools.cache: two first calls both compute and each returns its own
# object
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import functools


def turn():
    @(functools.cache if FAULT != "two" else lambda f: f)
    def make(x):
        return [x]

    if any(a is not b for a, b in in_step(many(1000), make)):
        hit("make(x) is not make(x)")


rounds(turn)
