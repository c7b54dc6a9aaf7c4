# python/cpython#153291: set_completer() against get_completer() without the lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import readline


def set_it():
    for _ in range(50):
        readline.set_completer(lambda *args: None)


def get_it():
    for _ in range(50):
        readline.get_completer()


again(set_it, set_it, get_it, get_it)
