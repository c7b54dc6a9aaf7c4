# threadbare/hunt#rustpython-groupby-next-drain: next() of one groupby in two threads: the
# current value is taken while the other expects it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools


shared = [None] * 300


def walk():
    shared[:] = [itertools.groupby([1, 1, 2, 3] * 5) for _ in shared]
    for groups in list(shared):
        try:
            for _ in range(20):
                next(groups)
        except StopIteration:
            pass


def drain():
    for groups in list(shared):
        try:
            for key, group in groups:
                list(group)
        except Exception:
            pass


again(walk, drain)
