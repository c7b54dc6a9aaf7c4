# python/cpython#148953: new threads pause the world while they hold the reclamation lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import abc
import threading


def threads():
    young = [threading.Thread(target=int) for _ in range(40)]
    for thread in young:
        thread.start()
    for thread in young:
        thread.join()


def pause():
    cls = abc.ABCMeta("C", (), {})
    cls.__abstractmethods__ = frozenset()


again(threads, threads, pause)
