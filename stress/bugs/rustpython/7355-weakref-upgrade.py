# RustPython/RustPython#7355: collector or callback checks the strong count, then takes a
# reference
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc
import weakref


class Value:
    pass


slot = [weakref.ref(Value())]


def drop():
    for _ in range(5):
        it = Value()
        slot[0] = weakref.ref(it, lambda r: None)
        del it


def upgrade():
    for _ in range(5):
        slot[0]()


def collect():
    for _ in range(5):
        gc.collect()


again(drop, upgrade, upgrade, collect)
