# python/cpython#150750: deque.index() takes its default stop from the size before locking
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections


queue = collections.deque(range(20))


def find():
    for _ in range(50):
        try:
            queue.index(50)
        except ValueError:
            pass


def change():
    for _ in range(50):
        queue.append(1)
        queue.popleft()


again(find, change)
