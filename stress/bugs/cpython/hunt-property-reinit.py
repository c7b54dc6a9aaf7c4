# threadbare/hunt#cpython-property-reinit: property.__init__() frees the getter that __get__() is
# about to call
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def getter(v):
    return lambda self: v


shared = property(getter(1))


def make():
    for _ in range(100):
        try:
            shared.__init__(getter(1), getter(2), getter(3), "doc" + str(1))
        except Exception:
            pass


def get():
    for _ in range(100):
        try:
            shared.__get__(1)
        except Exception:
            pass


again(make, get)
