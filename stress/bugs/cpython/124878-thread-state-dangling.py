# python/cpython#124878: a daemon thread wakes up at exit and touches its freed thread state
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
program = """
import threading, time
lock = threading.Lock()
def wake():
    while True:
        with lock:
            time.sleep(0.0001)
for _ in range(4):
    threading.Thread(target=wake, daemon=True).start()
time.sleep(0.01)
"""
children(program)
