# threadbare/hunt#rustpython-mmap-read-write: mmap.read() takes the position after write() moved
# it past what read() had counted
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import mmap


shared = mmap.mmap(-1, 8192)


def read():
    for _ in range(100):
        try:
            shared.seek(0)
            shared.read(4096)
            shared.read(4096)
        except Exception:
            pass


def write():
    for _ in range(100):
        try:
            shared.write(b"abc")
        except Exception:
            pass


again(read, write)
