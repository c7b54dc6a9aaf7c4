# python/cpython#127041: a subinterpreter starts running between the check and its destruction
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import _interpreters
except ImportError:
    skip("_interpreters is newer than this VM")


def turn():
    it = _interpreters.create()

    def use():
        try:
            _interpreters.run_string(it, "1")
        finally:
            _interpreters.destroy(it)

    together(use, use, use, use)


rounds(turn)
