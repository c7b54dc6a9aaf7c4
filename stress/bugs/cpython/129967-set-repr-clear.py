# python/cpython#129967: repr(set) copies the set, the lock is dropped, clear() slips in and {}
# is printed
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ITEM = 2 if FAULT == "another" else 1
shared = {1}


def change():
    for _ in range(50):
        shared.clear()
        shared.add(ITEM)


def show():
    for _ in range(50):
        text = repr(shared)
        if text not in ("{1}", "set()"):
            hit("repr is " + text)


again(change, show, show)
