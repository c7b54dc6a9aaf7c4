# python/cpython#128679: tracemalloc.stop() while another thread allocates or frees without the
# lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import tracemalloc
import zlib


data = bytes(100_000)


def toggle():
    for _ in range(2):
        tracemalloc.start()
        tracemalloc.stop()


def compress():
    for _ in range(2):
        zlib.compress(data, 1)
        bytearray(100_000)


again(toggle, compress, compress)
