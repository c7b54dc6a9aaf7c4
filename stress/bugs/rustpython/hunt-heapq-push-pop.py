# threadbare/hunt#rustpython-heapq-push-pop: heappush() swaps items at places it checked before
# heappop() shortened the list
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import heapq


shared = [1]


def push():
    for _ in range(100):
        try:
            heapq.heappush(shared, -len(shared))
        except (IndexError, RuntimeError):
            pass


def pop():
    for _ in range(100):
        try:
            heapq.heappop(shared)
        except (IndexError, RuntimeError):
            pass


again(push, pop, pop)
