# python/cpython#129533: gc.enable(), gc.disable() and gc.isenabled() share a plain flag
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


def toggle():
    for _ in range(50):
        gc.disable()
        gc.enable()


def ask():
    for _ in range(50):
        gc.isenabled()


again(toggle, ask)
