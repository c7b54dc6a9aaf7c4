# python/cpython#130920: the specialised a[0] = x stores with a plain write while a[0] is read
# atomically
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
pair = [1000, 2000]


def swap():
    for _ in range(50):
        pair[0] = pair[1]
        pair[1] = pair[0]


again(swap, swap)
