# python/cpython#143143: tracemalloc is stopped while threads that allocated end
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading
import tracemalloc


def toggle():
    tracemalloc.start()
    tracemalloc.stop()


def threads():
    young = [threading.Thread(target=lambda: bytearray(100_000)) for _ in range(10)]
    for thread in young:
        thread.start()
    for thread in young:
        thread.join()


again(toggle, threads)
