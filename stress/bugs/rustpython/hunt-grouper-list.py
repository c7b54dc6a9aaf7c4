# threadbare/hunt#rustpython-grouper-list: list() of one group of groupby in two threads: the
# current value is checked, then taken
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools


shared = [iter(())] * 200
parents = []


def fresh():
    parents[:] = [itertools.groupby((1, 1, 2, 2)) for _ in shared]
    shared[:] = [next(groups)[1] for groups in parents]


def first():
    fresh()
    for group in list(shared):
        list(group)


def second():
    for group in list(shared):
        list(group)


again(first, second)
