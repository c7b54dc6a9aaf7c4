# threadbare/hunt#cpython-buffered-close-detach: close() of a BufferedReader calls the raw stream
# that detach() takes away
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import io


slot = [io.BufferedReader(io.BytesIO(b"ab"), 8)]


def close():
    for _ in range(500):
        it = slot[0] = io.BufferedReader(io.BytesIO(b"ab"), 8)
        try:
            it.close()
        except ValueError:
            pass


def detach():
    for _ in range(500):
        try:
            slot[0].detach()
        except ValueError:
            pass


again(close, detach)
