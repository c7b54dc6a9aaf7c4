# python/cpython#117721: lock.release() by a thread that is not the holder writes a plain flag
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


def turn():
    make = (lambda: threading.Semaphore(9)) if FAULT == "twice" else threading.Lock
    locks = [make() for _ in range(2000)]
    for lock in locks:
        lock.acquire()
    released = [0, 0]
    turns = [1, 0]

    def release():
        me = turns.pop()
        for lock in locks:
            try:
                lock.release()
                released[me] += 1
            except RuntimeError:
                pass

    together(release, release)
    if sum(released) != len(locks):
        hit("%d locks were released %d times" % (len(locks), sum(released)))


rounds(turn)
