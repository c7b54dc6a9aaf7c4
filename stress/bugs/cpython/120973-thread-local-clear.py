# python/cpython#120973: destroying a threading.local walks other threads' state while they exit
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


slot = [threading.local()]


def replace():
    slot[0].x = 1
    slot[0] = threading.local()


def threads():
    def touch():
        slot[0].x = [1]


    young = [threading.Thread(target=touch) for _ in range(5)]
    for thread in young:
        thread.start()
    for thread in young:
        thread.join()


again(replace, threads, threads)
