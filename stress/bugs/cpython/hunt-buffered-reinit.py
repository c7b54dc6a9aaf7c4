# threadbare/hunt#cpython-buffered-reinit: BufferedReader.__init__() frees the buffer and the
# lock that seek() holds
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import io


shared = io.BufferedReader(io.BytesIO(b"abc"), 64)


def seek():
    for _ in range(100):
        try:
            shared.seek(-1, 2)
        except Exception:
            pass


def make():
    for _ in range(100):
        try:
            shared.__init__(io.BytesIO(b"abcdefgh" * 4), 512)
        except Exception:
            pass


again(seek, make)
