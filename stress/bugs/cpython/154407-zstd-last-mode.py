# python/cpython#154407: ZstdCompressor.last_mode is read while compress() writes it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    from compression.zstd import ZstdCompressor
except ImportError:
    skip("compression.zstd is newer than this VM")

compressor = ZstdCompressor()


def compress():
    compressor.compress(b"x")


def read():
    compressor.last_mode


again(compress, read)
