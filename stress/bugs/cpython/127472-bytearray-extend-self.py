# python/cpython#127472: b.extend(b) reallocates while another thread scans the bytes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
SIZE = 500_000
LETTER = b"#" if FAULT == "dirt" else b"*"
slot = [bytearray(b"*" * SIZE)]


def double():
    dirt = bytearray(b"#" * (2 * SIZE + SIZE // 4))
    fresh = slot[0] = bytearray(LETTER * SIZE)
    del dirt
    try:
        fresh.extend(fresh)
    except Exception:
        pass


def scan():
    for _ in range(5):
        if b"#" in bytes(slot[0]):
            hit("bytes from nowhere")


again(double, scan, scan)
