# python/cpython#132565: slicing, casting and releasing views of one buffer in several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
buffer = bytearray(64)
view = memoryview(buffer)


def slices():
    for _ in range(50):
        part = view[1:]
        part.cast("B").release()
        part.release()


kept = view[1:] if FAULT == "kept" else None
again(slices, slices, slices)
try:
    view.release()
    buffer.append(1)
except BufferError as e:
    hit("after all is done: %s" % e)
