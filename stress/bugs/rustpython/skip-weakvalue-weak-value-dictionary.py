# RustPython/RustPython#skip-weakvalue: the collector against WeakValueDictionary's callback
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc
import weakref


class Value:
    pass


table = weakref.WeakValueDictionary()


def collect():
    for _ in range(2):
        gc.collect()


def store():
    for _ in range(2):
        it = Value()
        table[10] = it
        if FAULT == "lost":
            it = None
        if len(table) != 1:
            hit("a value that is alive is not there")
        del it


again(collect, store)
