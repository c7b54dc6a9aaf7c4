# threadbare/hunt#cpython-struct-reinit: Struct.__init__() frees the table of codes that unpack()
# walks
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import struct

data = bytes(range(97, 113))
SMALL, WIDE = "<" + "b" * 16, "<" + "h" * 8
legal = [struct.unpack(SMALL, data), struct.unpack(WIDE, data)]
shared = struct.Struct(WIDE)
if FAULT == "foreign":
    data = data[::-1]


def unpack():
    for _ in range(100):
        try:
            got = shared.unpack(data)
        except Exception:
            continue
        if got not in legal:
            hit("unpack() gave %r" % (got,))


def small():
    for _ in range(100):
        try:
            shared.__init__(SMALL)
            shared.__init__(WIDE)
        except Exception:
            pass


again(unpack, small)
