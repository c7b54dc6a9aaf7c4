# python/cpython#89967: WeakValueDictionary's bookkeeping of pending removals
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref


class Value:
    pass


class Refuses(weakref.WeakValueDictionary):
    items = raises(RuntimeError("dictionary changed size during iteration"))


table = Refuses() if FAULT == "raise" else weakref.WeakValueDictionary()


def store():
    try:
        for _ in range(5):
            for i in range(20):
                table[i] = Value()
    except (RuntimeError, KeyError, IndexError) as e:
        hit(repr(e))


def walk():
    try:
        for _ in range(5):
            list(table.items())
            len(table)
    except (RuntimeError, KeyError, IndexError) as e:
        hit(repr(e))


again(store, store, walk, walk)
