# python/cpython#128400: faulthandler.dump_traceback(all_threads=True) walks the frames of
# running threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import faulthandler
import os


sink = open(os.devnull, "w")


def deep(n):
    return deep(n - 1) if n else 0


def recurse():
    for _ in range(5):
        deep(20)


def dump():
    for _ in range(5):
        faulthandler.dump_traceback(sink, all_threads=True)


again(recurse, recurse, dump)
