# threadbare/hunt#rustpython-bytes-bytearray-pop: bytes(bytearray) takes the length and then the
# bytes, pop() between the two
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = bytearray(97)


def copy():
    for _ in range(100):
        try:
            bytes(shared)
        except Exception:
            pass


def pop():
    for _ in range(100):
        try:
            shared.pop()
            if len(shared) < 9:
                shared.extend(b"x" * 90)
        except Exception:
            pass


again(copy, pop)
