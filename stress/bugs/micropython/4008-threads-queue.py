# micropython/micropython#4008: objects with attributes go through a shared list under a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import _thread


class Item:
    def __init__(self, n):
        self.n = n


NUMBER = 8 if FAULT == "foreign" else 7
queue, lock = [], _thread.allocate_lock()


def put():
    for _ in range(100):
        with lock:
            queue.append(Item(NUMBER))
            if len(queue) > 100:
                del queue[:]


def get():
    for _ in range(100):
        with lock:
            item = queue.pop() if queue else None
        if item is not None and item.n != 7:
            hit("an attribute of another object")


again(put, put, get, get)
