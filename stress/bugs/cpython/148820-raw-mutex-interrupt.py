# python/cpython#148820: a waiter of a raw lock wakes by a signal and destroys its semaphore
# before the releaser posts it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import signal
import threading

signal.signal(signal.SIGUSR1, lambda *args: None)
main = threading.main_thread().ident
shared = [str(i) for i in range(500)]


def churn():
    for _ in range(20):
        shared.sort(key=str.__len__)
        shared.append("x")
        shared.pop()


def signals():
    for _ in range(2):
        signal.pthread_kill(main, signal.SIGUSR1)


# The main thread gets the signals: it does the same work as the others.
helper = threading.Thread(target=again, args=(signals, churn, churn))
helper.start()
while going():
    try:
        churn()
    except (ValueError, IndexError):
        pass
helper.join()
