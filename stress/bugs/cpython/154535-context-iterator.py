# python/cpython#154535: one iterator over a Context advanced by several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import contextvars


variables = [contextvars.ContextVar("v%d" % i) for i in range(16)]
context = contextvars.Context()


def store():
    for i, variable in enumerate(variables):
        variable.set([i])


context.run(store)
slot = [iter(context)]


def advance():
    for _ in range(200):
        if next(slot[0], None) is None:
            slot[0] = iter(context)


again(advance, advance, advance, advance)
