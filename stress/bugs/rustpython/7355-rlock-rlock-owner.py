# RustPython/RustPython#7355-rlock: release of an RLock by a thread that does not own it
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
        lock.release()


def steal():
    for _ in range(50):
        try:
            lock.release()
            hit("a thread released a lock it does not own")
        except RuntimeError:
            pass


again(hold, steal)
