# python/cpython#130091: a thread-specific key is deleted at exit while a thread attaches
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
program = """
import threading
def load():
    import json, decimal
for _ in range(4):
    threading.Thread(target=load, daemon=True).start()
"""
children(program)
