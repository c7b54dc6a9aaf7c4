# micropython/micropython#7124: the collector scans another thread's stack with a wrong range:
# live objects are freed
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


FIRST = 1 if FAULT == "overwritten" else 0


def make():
    for _ in range(100):
        text = "".join([str(i) for i in range(FIRST, 30)])
        if text != "01234567891011121314151617181920212223242526272829":
            hit("a live string was overwritten")


def collect():
    for _ in range(100):
        gc.collect()


again(make, make, collect)
