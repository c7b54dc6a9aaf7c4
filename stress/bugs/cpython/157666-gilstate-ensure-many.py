# python/cpython#157666: eight or more native threads enter at once while the reclamation table
# grows
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes


call = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: None)
libc = ctypes.CDLL(None)


def enter():
    ids = [ctypes.c_ulong() for _ in range(12)]
    for i in ids:
        libc.pthread_create(ctypes.byref(i), None, call, None)
    for i in ids:
        libc.pthread_join(i, None)


again(enter, enter)
