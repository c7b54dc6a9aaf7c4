# python/cpython#133885: one ZstdCompressor used by several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading

try:
    from compression.zstd import ZstdCompressor
except ImportError:
    skip("compression.zstd is newer than this VM")

compressor, data = ZstdCompressor(), bytes(16384)


def compress():
    while going():
        compressor.compress(data)


threads = [threading.Thread(target=compress) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
