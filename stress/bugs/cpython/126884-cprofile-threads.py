# python/cpython#126884: one cProfile.Profile is fed by all threads: its tree of entries has no
# lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import cProfile


def one():
    return len("")


def two():
    return one() + abs(1)


def turn():
    profile = cProfile.Profile()
    profile.enable()

    def call():
        for _ in range(2000):
            one()
            two()
            str(1)

    together(call, call, call)
    profile.disable()
    profile.getstats()


rounds(turn)
