# threadbare/hunt#rustpython-re-bytearray-setitem: a match holds the read lock of a bytearray and
# takes it again while b[i] = x waits
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import re


pattern = re.compile(b"(a)|([b-h]+)")
shared = bytearray(b"aXbcadefgY")


def match():
    for _ in range(100):
        try:
            pattern.findall(shared)
        except Exception:
            pass


def store():
    for _ in range(100):
        try:
            shared[3] = 104
        except Exception:
            pass


again(match, store)
