# python/cpython#153290: BytesIO.__setstate__() stores a new instance dict while methods look at
# the slot
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import io


stream = io.BytesIO(b"abc")


def restore():
    for _ in range(50):
        stream.__setstate__((b"abcd" * 10, 0, {"x": [1]}))


def read():
    for _ in range(50):
        stream.read()
        stream.getvalue()


again(restore, restore, read, read)
