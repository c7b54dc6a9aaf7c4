# python/cpython#119369: thread exit waits for the reclamation lock while it holds the GIL
# switched on at run time
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import importlib.util
import threading

# While an extension module is made the lock is on, until it is known that the module can do without.
if getattr(sys, "_is_gil_enabled", lambda: True)():
    skip("this VM starts with its GIL on")
spec = importlib.util.find_spec("_csv")
if not (spec.origin or "").endswith(".so"):
    skip("_csv is no extension in a file of its own")


def switch():
    for _ in range(5):
        importlib.util.module_from_spec(spec)


def threads():
    young = [threading.Thread(target=int) for _ in range(10)]
    for thread in young:
        thread.start()
    for thread in young:
        thread.join()


again(switch, threads, threads)
