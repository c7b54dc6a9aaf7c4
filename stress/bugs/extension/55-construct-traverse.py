# awolverp/cachebox#55: the collector traverses an object between __new__ and __init__
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import cachebox
    import gc
except ImportError as e:
    skip(e)


def make():
    for _ in range(50):
        cachebox.Cache(10)


def collect():
    gc.collect()


again(make, make, collect)
