# micropython/micropython#3045: release() of a lock that is free, then acquire()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import _thread

lock = _thread.allocate_lock()
if FAULT == "free":

    class Lock:
        def release(self):
            pass

    lock = Lock()


def misuse():
    for _ in range(100):
        try:
            lock.release()
            hit("a free lock was released")
        except RuntimeError:
            pass
        mine = _thread.allocate_lock()
        mine.acquire()
        mine.release()


again(misuse)
