# python/cpython#123471: product, pairwise, combinations and permutations reuse one result tuple
# that two next() race for
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools
import time


need(itertools, "pairwise")
makers = [
    lambda: itertools.product(("x%d" % time.monotonic_ns(), "b", "c"), repeat=3),
    lambda: itertools.permutations(str(i) for i in range(4)),
    lambda: itertools.pairwise(str(i) for i in range(60)),
    lambda: itertools.combinations((str(i) for i in range(6)), 3),
]


class Reused(tuple):
    def __getitem__(self, i):
        return object()  # another item at every look


if FAULT == "reused":
    makers = [lambda: map(Reused, itertools.product("abc", repeat=3))]
slot = [make() for make in makers]


def advance():
    for _ in range(50):
        for i, make in enumerate(makers):
            group = next(slot[i], None)
            if group is None:
                slot[i] = make()
            else:
                item = group[0]
                if group[0] is not item:
                    hit("a tuple changed in the hands of its owner")


again(advance, advance, advance, advance)
