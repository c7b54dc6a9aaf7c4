# RustPython/RustPython#6720: the VM walks an internal dict that another thread changes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


class Box:
    pass


def threads():
    try:
        thread = threading.Thread(target=int)
        start = raises(RuntimeError("dictionary changed size during iteration")) if FAULT == "raise" else thread.start
        start()
        thread.join()
    except RuntimeError as e:
        hit(repr(e))


def store():
    try:
        box = Box()
        for i in range(20):
            setattr(box, "k%d" % i, 1)
        vars(box).clear()
    except RuntimeError as e:
        hit(repr(e))


again(threads, store, store)
