# threadbare/hunt#cpython-exception-context: e.__context__ = x drops the old exception in two
# threads at once
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


shared = ValueError(1)


def store():
    for _ in range(100):
        try:
            shared.__context__ = KeyError(time)
            shared.__context__ = None
        except Exception:
            pass


def clear():
    for _ in range(100):
        try:
            shared.__context__ = None
        except Exception:
            pass


again(store, store, clear)
