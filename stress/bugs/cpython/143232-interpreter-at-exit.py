# python/cpython#143232: the process exits while calls of _interpreters are under way
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import _interpreters
except ImportError:
    skip("_interpreters is newer than this VM")
program = """
import _interpreters, threading, time
def use():
    while True:
        it = _interpreters.create()
        _interpreters.run_string(it, "1")
        _interpreters.destroy(it)
for _ in range(3):
    threading.Thread(target=use, daemon=True).start()
time.sleep(0.05)
"""
children(program)
