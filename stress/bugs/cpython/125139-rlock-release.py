# python/cpython#125139: RLock.release() checks its owner on plain fields
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


lock = threading.Semaphore(9) if FAULT == "stranger" else threading.RLock()


def hold():
    for _ in range(50):
        lock.acquire()
        lock.acquire()
        lock.release()
        lock.release()


def steal():
    for _ in range(50):
        try:
            lock.release()
            hit("a thread released a lock it does not own")
        except RuntimeError:
            pass


again(hold, steal)
