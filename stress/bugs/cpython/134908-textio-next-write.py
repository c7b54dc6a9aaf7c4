# python/cpython#134908: iterating a text file flushes pending writes without the lock, against
# write()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import tempfile


stream = tempfile.TemporaryFile("w+")


def walk():
    for _ in range(50):
        for _ in stream:
            pass


def write():
    for _ in range(50):
        stream.write("x")
        stream.write("\n")


again(walk, write, write)
