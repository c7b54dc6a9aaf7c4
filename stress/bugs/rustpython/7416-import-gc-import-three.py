# RustPython/RustPython#7416-import: collector, a thread that waits for the import lock, and its
# holder parked at a safepoint
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


def load():
    sys.modules.pop("colorsys", None)
    import colorsys


def collect():
    gc.collect()


again(load, load, collect)
