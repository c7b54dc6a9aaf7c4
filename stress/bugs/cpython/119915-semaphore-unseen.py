# python/cpython#119915: threads that park on one lock; the reports on the parking itself are false.
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import _thread

lock = _thread.allocate_lock()


def contend():
    for _ in range(50):
        with lock:
            time.sleep(0.0001)


again(contend, contend, contend, contend)
