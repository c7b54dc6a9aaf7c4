# threadbare/hunt#rustpython-array-eq-imul: a == a takes the read lock of one array twice, a
# writer waits between
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import array


shared = array.array("d", [0.5] * 70)


def compare():
    for _ in range(100):
        try:
            shared == shared
        except Exception:
            pass


def repeat():
    for _ in range(100):
        try:
            shared.__imul__(0)
            shared.append(0.5)
        except Exception:
            pass


again(compare, repeat)
