# python/cpython#128717: sys.setrecursionlimit() writes into the states of other threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
DEPTH = 600 if FAULT == "deep" else 50


def deep(n):
    return deep(n - 1) if n else 0


def limit():
    for _ in range(20):
        sys.setrecursionlimit(300)
        sys.setrecursionlimit(500)


def recurse():
    for _ in range(20):
        try:
            deep(DEPTH)
        except RecursionError:
            hit("RecursionError, far from every limit that was set")


again(limit, limit, recurse, recurse)
