# python/cpython#151640: read() returns the inner bytes object, a later write() resizes it in
# place while the reader drops it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import io


DATA = (b"#" if FAULT == "dirt" else b"a") * 200
stream = io.BytesIO(b"b" * 100)


def write():
    for _ in range(50):
        stream.seek(0)
        stream.write(DATA)
        stream.truncate(100)


def read():
    for _ in range(50):
        stream.seek(0)
        data = stream.read()
        if not set(data) <= {0, 97, 98}:
            hit("bytes from nowhere: %r" % set(data))


again(write, write, read, read)
