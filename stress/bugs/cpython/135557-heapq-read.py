# python/cpython#135557: heapq's C functions change the list with plain stores while list reads
# run
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import heapq
import time


heap = [str(i) for i in range(100)]


def push():
    for _ in range(50):
        heapq.heappush(heap, str(time.monotonic()))
        heapq.heappop(heap)


def read():
    for _ in range(50):
        heap[0]
        heap[5]


again(push, read)
