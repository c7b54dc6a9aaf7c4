# micropython/micropython#10690: new globals are stored while another thread reads globals
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
first = 1
space = globals()
if FAULT == "lost":
    del first


def store():
    for _ in range(100):
        for i in range(20):
            space["g%d" % i] = i
        for i in range(20):
            del space["g%d" % i]


def read():
    for _ in range(100):
        try:
            first
        except NameError:
            hit("a global that exists was not found")


again(store, read)
