# python/cpython#130163: print() holds sys.stdout borrowed while redirect_stdout() in another
# thread frees it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import contextlib
import io


def swap_once():
    with contextlib.redirect_stdout(io.StringIO()):
        print("x")


def swap():
    for _ in range(50):
        swap_once()


again(swap, swap, swap, swap)
