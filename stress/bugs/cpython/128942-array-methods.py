# python/cpython#128942: every mutating array.array method against any other
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import array


shared = array.array("i", range(10))
other = array.array("i", range(100))


def resize():
    for _ in range(50):
        shared.extend(other)
        del shared[10:]


def read():
    for _ in range(50):
        shared.tolist()
        shared.append(2)
        shared.pop()


again(resize, resize, read, read)
