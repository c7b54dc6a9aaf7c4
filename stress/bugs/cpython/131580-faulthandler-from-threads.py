# python/cpython#131580: faulthandler.dump_traceback() from many threads while threads end
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import faulthandler
import os
import threading


sink = open(os.devnull, "w")


def dump():
    faulthandler.dump_traceback(sink)


def threads():
    young = [threading.Thread(target=sum, args=(range(10),)) for _ in range(5)]
    for thread in young:
        thread.start()
    for thread in young:
        thread.join()


again(dump, dump, threads)
