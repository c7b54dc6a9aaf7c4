# python/cpython#144809: copy(deque) iterates without holding the lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections
import copy


queue = collections.deque(range(100))


class Refuses:
    __copy__ = raises(RuntimeError("deque mutated during iteration"))


copied = Refuses() if FAULT == "raise" else queue


def change():
    try:
        for _ in range(50):
            queue.append(1)
            queue.popleft()
    except RuntimeError as e:
        hit(repr(e))


def copy_it():
    try:
        for _ in range(50):
            copy.copy(copied)
    except RuntimeError as e:
        hit(repr(e))


again(change, copy_it)
