# devdanzin/rustpython-findings#RUSTPY-0022: next() on an exhausted one-item itertools.cycle:
# add and wrap of the index are two steps
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import itertools


shared = itertools.cycle([0])
next(shared)


def advance():
    for _ in range(500):
        next(shared)


again(advance, advance)
