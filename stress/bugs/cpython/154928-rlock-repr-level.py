# python/cpython#154928: repr(RLock) reads the level of recursion plainly while
# _acquire_restore() writes it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


lock = threading.RLock()
LEVEL = 6 if FAULT == "level" else 5


def hold():
    for _ in range(50):
        lock._acquire_restore((LEVEL, threading.get_ident()))
        lock._release_save()


def show():
    for _ in range(50):
        text = repr(lock)
        if "count=5" not in text and "count=0" not in text:
            hit(text)


again(hold, show)
