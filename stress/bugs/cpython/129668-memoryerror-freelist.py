# python/cpython#129668: MemoryError instances come from one free list without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


def fail():
    me = FAULT or threading.get_ident()
    for _ in range(100):
        try:
            raise MemoryError
        except MemoryError as e:
            e.owner = me
            if e.owner != threading.get_ident():
                hit("an exception of another thread")


again(fail, fail, fail, fail)
