# python/cpython#157119: the pickler takes a borrowed reducer from copyreg.dispatch_table
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import copyreg
import pickle


class Thing:
    pass


class Reducer:
    def __call__(self, it):
        return Thing, ()


it = Thing()


def replace():
    for _ in range(20):
        copyreg.dispatch_table[Thing] = Reducer()


def dump():
    for _ in range(20):
        pickle.dumps(it)


again(replace, replace, dump, dump)
