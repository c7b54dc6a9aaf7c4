# python/cpython#124149: daemon threads are not ended while the interpreter finalises
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
program = """
import threading
def busy():
    while True:
        [i for i in range(100)]
for _ in range(3):
    threading.Thread(target=busy, daemon=True).start()
"""
children(program)
