# devdanzin/cpython-tsan-findings#TSAN-0034: finalisation reads the head of the thread list in
# an assert before it stops the world
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
program = """
import _thread, threading, time
def fail():
    raise RuntimeError
threading._shutdown = fail
def churn():
    while True:
        _thread.start_new_thread(int, ())
for _ in range(3):
    _thread.start_new_thread(churn, ())
time.sleep(0.02)
"""
children(program, must_end=False)
