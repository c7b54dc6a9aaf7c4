# RustPython/RustPython#8556: a thread blocked on an object's lock whose holder is already
# stopped: the world never stands still
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


shared = bytearray(200_000)


def search():
    for _ in range(2):
        shared.find(b"xyz")
        shared.extend(b"a")
        del shared[200_000:]


def collect():
    for _ in range(2):
        gc.collect()


again(search, search, collect)
