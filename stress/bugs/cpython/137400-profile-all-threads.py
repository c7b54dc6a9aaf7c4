# python/cpython#137400: setprofile_all_threads() walks thread states while a thread exits and
# writes their trace fields
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading

need(threading, "setprofile_all_threads")


def profile(frame, event, arg):
    pass


def set_all():
    for _ in range(2):
        threading.setprofile_all_threads(profile)
        threading.setprofile_all_threads(None)


def threads():
    for _ in range(2):
        young = [threading.Thread(target=sum, args=(range(10),)) for _ in range(5)]
        for thread in young:
            thread.start()
        for thread in young:
            thread.join()


def call():
    for _ in range(2):
        abs(1)
        threading.get_ident()


again(set_all, threads, call)
