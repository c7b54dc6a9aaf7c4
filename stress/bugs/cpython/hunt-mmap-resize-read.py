# threadbare/hunt#cpython-mmap-resize-read: mmap.read() and slices copy from pages that resize()
# or close() unmaps
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import mmap


shared = [None] * 20


def first():
    shared[:] = [mmap.mmap(-1, 1 << 20) for _ in shared]
    for it in list(shared):
        try:
            it.resize(4096)
            it.close()
        except Exception:
            pass


def second():
    for it in list(shared):
        try:
            it[:]
        except Exception:
            pass


again(first, second)
