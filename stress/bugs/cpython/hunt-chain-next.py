# threadbare/hunt#cpython-chain-next: two next() on one itertools.chain drop the iterator of a
# part twice
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools


parts = [(1,)] * 50
shared = [None] * 20


def first():
    shared[:] = [itertools.chain(*parts) for _ in shared]
    for it in list(shared):
        try:
            list(it)
        except Exception:
            pass


def second():
    for it in list(shared):
        try:
            list(it)
        except Exception:
            pass


again(first, second)
