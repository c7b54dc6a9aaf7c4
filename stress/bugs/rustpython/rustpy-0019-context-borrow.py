# devdanzin/rustpython-findings#RUSTPY-0019: set and get of one Context from two threads: the
# map is in a RefCell
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import contextvars


variable = contextvars.ContextVar("v")
context = contextvars.copy_context()


def store():
    try:
        for _ in range(50):
            context.run(variable.set, [1])
    except RuntimeError:
        pass


def read():
    try:
        for _ in range(50):
            context.run(variable.get, 0)
    except RuntimeError:
        pass


again(store, store, read)
