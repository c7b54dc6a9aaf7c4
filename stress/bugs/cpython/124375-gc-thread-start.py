# python/cpython#124375: a collection walks all thread states while one of them is half set up
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc
import threading


def collect():
    gc.collect()


def start():
    young = [threading.Thread(target=int) for _ in range(20)]
    for thread in young:
        thread.start()
    for thread in young:
        thread.join()


again(collect, start)
