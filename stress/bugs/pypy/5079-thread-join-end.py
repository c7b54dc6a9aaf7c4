# pypy/pypy#5079: a thread ends while two others join it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


def round_():
    try:
        young = threading.Thread(target=int)
        others = [threading.Thread(target=young.join) for _ in range(2)]
        if FAULT == "raise":
            young.join()  # before it was started
        young.start()
        for thread in others:
            thread.start()
        young.is_alive()
        young.join()
        for thread in others:
            thread.join()
    except (RuntimeError, AssertionError) as e:
        hit(repr(e))


again(round_)
