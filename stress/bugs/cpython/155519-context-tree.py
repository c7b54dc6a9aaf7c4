# python/cpython#155519: len(), copy() and items() read the tree of a Context while its owner
# sets a variable
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import contextvars


variable = contextvars.ContextVar("v")
context = contextvars.Context()
context.run(variable.set, 0)


def write():
    values = [[1], [2]]

    def store():
        for value in values * 200:
            variable.set(value)

    while going():
        context.run(store)


def read():
    for _ in range(200):
        context.copy()
        list(context.items())


run(write, read, read)
