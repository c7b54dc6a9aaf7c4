# micropython/micropython#18861: threads allocate, build and drop trees while the collector
# scans their stacks
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
LAST = 1 if FAULT == "lost" else 0


def build(n):
    return [build(n - 1), n] if n > LAST else ["leaf"]


def depth(tree):
    return 1 + depth(tree[0]) if len(tree) == 2 else 1


def allocate():
    for _ in range(100):
        if depth(build(12)) != 13:
            hit("a live object was freed")


again(allocate, allocate, allocate)
