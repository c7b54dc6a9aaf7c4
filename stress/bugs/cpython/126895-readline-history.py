# python/cpython#126895: readline calls from several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import readline
import time


def add():
    for _ in range(50):
        readline.add_history("line %d" % time.monotonic_ns())
        readline.clear_history()


def read():
    for _ in range(50):
        readline.get_history_item(1)
        readline.set_completer(lambda *args: None)


again(add, add, read, read)
