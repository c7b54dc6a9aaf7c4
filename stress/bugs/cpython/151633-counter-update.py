# python/cpython#151633: Counter.update() adds to a borrowed count after the lock of the dict is
# gone
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections


words = [str(i) for i in range(4)] * 100
counts = collections.Counter()


def count():
    for _ in range(20):
        counts.update(words)


def clear():
    for _ in range(20):
        counts.clear()


again(count, count, count, clear)
