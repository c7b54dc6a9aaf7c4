# python/cpython#132551: BytesIO write, truncate, getbuffer and close without any lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import io


stream = io.BytesIO()
data = b"x" * 1000


def write():
    for _ in range(50):
        stream.write(data)
        stream.seek(0)


def read():
    for _ in range(50):
        stream.getvalue()
        stream.getbuffer().release()


def cut():
    for _ in range(50):
        stream.truncate(0)


again(write, write, read, cut)
