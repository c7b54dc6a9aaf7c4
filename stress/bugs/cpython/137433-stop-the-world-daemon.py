# python/cpython#137433: the pause of the whole process at exit against a pause of one
# interpreter by a daemon thread
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
program = """
import gc, threading, time
def pause():
    while True:
        gc.collect()
for _ in range(3):
    threading.Thread(target=pause, daemon=True).start()
time.sleep(0.01)
"""
children(program)
