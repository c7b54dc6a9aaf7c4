# python/cpython#151707: raw FileIO.read() against close() and seek() on its plain fields
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import io


raw = io.FileIO(__file__)


def read():
    for _ in range(50):
        raw.read(10)


def seek():
    for _ in range(50):
        raw.seek(0)
        raw.close()
        raw.__init__(__file__)


again(read, seek)
