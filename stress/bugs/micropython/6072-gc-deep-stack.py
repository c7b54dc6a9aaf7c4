# micropython/micropython#6072: the collector scans a thread's deep stack while it recurses
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


def deep(n):
    local = [n + 1] if FAULT == "overwritten" else [n]
    return deep(n - 1) + local[0] if n else 0


def recurse():
    for _ in range(100):
        if deep(20) != 210:
            hit("a live object was overwritten")


def collect():
    for _ in range(100):
        gc.collect()


again(recurse, recurse, collect)
