# python/cpython#142975: gc.freeze(), gc.collect() and gc.unfreeze() from several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


def freeze():
    gc.freeze()
    gc.collect()
    gc.unfreeze()


def unfreeze():
    gc.unfreeze()
    [[] for _ in range(100)]


again(freeze, unfreeze, unfreeze, unfreeze)
