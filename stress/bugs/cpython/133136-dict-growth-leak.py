# python/cpython#133136: a dict of bounded size under a lock keeps growing in memory
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading

table, lock = {}, threading.Lock()
kept = []


def store():
    k = 0
    while going():
        if FAULT == "kept":
            kept.append(b"x" * 1_000_000)
        for _ in range(1000):
            k += 1
            with lock:
                table[k] = k
                if len(table) > 2000:
                    table.popitem()


def watch():
    time.sleep(1)
    before = peak_memory()
    while going():
        time.sleep(0.2)
        grown = peak_memory() - before
        if grown > 200_000:
            hit("%d MiB more for a dict of 2000 items" % (grown // 1024))


run(store, store, store, store, watch)
