# python/cpython#145713: two bytearray.resize() calls with no lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading

need(bytearray, "resize")

shared = bytearray(10)


def resize():
    while going():
        shared.resize(10000)
        shared.resize(1)


threads = [threading.Thread(target=resize) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
