# python/cpython#153292: repr(RLock) reads the owner plainly: locked without owner, or unlocked
# with a count
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


lock = threading.RLock()
if FAULT == "unowned":

    class Lock:
        acquire = release = lambda self: None

        def __repr__(self):
            return "<locked RLock owner=0 count=1>"

    lock = Lock()


def hold():
    for _ in range(50):
        lock.acquire()
        lock.release()


def show():
    for _ in range(50):
        text = repr(lock)
        if "<unlocked" in text and "count=0" not in text or "<locked" in text and ("owner=0 " in text or "count=0" in text):
            hit(text)


again(hold, show)
