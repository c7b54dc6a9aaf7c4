# python/cpython#114944: waking all waiters against a waiter that leaves by an interrupt
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import signal
import threading
import time

# A join waits on the parking lot for the end of a thread, and that end wakes all who wait. Signals get the
# main thread, and no other, out of its place there.
signal.signal(signal.SIGUSR1, lambda *args: None)
main = threading.main_thread().ident


def interrupt():
    while going():
        signal.pthread_kill(main, signal.SIGUSR1)
        time.sleep(0.00005)


helper = threading.Thread(target=interrupt)
helper.start()
while going():
    young = threading.Thread(target=int)
    others = [threading.Thread(target=young.join) for _ in range(3)]
    young.start()
    for thread in others:
        thread.start()
    young.join()
    for thread in others:
        thread.join()
helper.join()
