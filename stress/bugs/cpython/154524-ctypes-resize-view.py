# python/cpython#154524: ctypes.resize() moves the buffer while memoryview() takes its address
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes


buffer = (ctypes.c_char * 64)()


def view():
    for _ in range(50):
        bytes(memoryview(buffer))
        memoryview(buffer).tobytes()


def resize():
    for _ in range(50):
        ctypes.resize(buffer, 128)
        ctypes.resize(buffer, 100_000)


again(view, view, view, resize)
