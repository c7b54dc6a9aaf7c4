# python/cpython#154431: the first sys.addaudithook() makes the list of hooks while sys.audit()
# reads it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


EVENT = "y" if FAULT == "lost" else "x"


def trial():  # runs in a process of its own: what is raced is a first use
    called = set()

    def add():
        me = threading.get_ident()
        sys.addaudithook(lambda event, args: called.add(me) if event == EVENT else None)

    together(add, add, add, add)
    sys.audit("x")
    if len(called) != 4:
        hit("%d of 4 hooks are lost" % (4 - len(called)))


forked(trial)
