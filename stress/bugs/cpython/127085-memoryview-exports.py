# python/cpython#127085: getbuffer and releasebuffer of one memoryview change its export counter
# without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import pickle
import struct

view = memoryview(bytearray(64))


def unpack():
    for _ in range(500):
        struct.unpack_from("q", view)


kept = pickle.PickleBuffer(view) if FAULT == "kept" else None
again(unpack, unpack, unpack)
try:
    view.release()
except (BufferError, SystemError) as e:  # too many counted, or too few
    hit("after all is done: %s" % e)
