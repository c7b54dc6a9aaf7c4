# python/cpython#142756: BZ2Decompressor attributes are read while decompress() writes them
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import bz2


packed = bz2.compress(b"abc" * 100) + b"tail"
slot = [bz2.BZ2Decompressor()]


def unpack():
    for _ in range(50):
        slot[0] = bz2.BZ2Decompressor()
        slot[0].decompress(packed[:30])
        slot[0].decompress(packed[30:])


def read():
    for _ in range(50):
        slot[0].eof
        slot[0].unused_data
        slot[0].needs_input


again(unpack, read, read)
