# python/cpython#127716: release() of one memoryview from several threads: test and set of the
# flag are two steps
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
buffer = bytearray(64)
slot = [memoryview(buffer)]


def release():
    for _ in range(50):
        slot[0].release()
        slot[0] = memoryview(buffer)


def read():
    for _ in range(50):
        bytes(slot[0])


again(release, release, release, read)
view = memoryview(buffer)
if FAULT == "uncounted":
    view = memoryview(bytes(buffer))
    slot[0].release()
try:
    buffer.append(1)
    hit("resized although a view is held: the count of exports is too low")
except BufferError:
    pass
