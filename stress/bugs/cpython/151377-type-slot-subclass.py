# python/cpython#151377: assigning a dunder on a base class races the birth and death of its
# subclasses
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Base:
    pass


def assign():
    for _ in range(5):
        Base.__repr__ = lambda self: "x"


def derive():
    for _ in range(5):
        repr(type("Derived", (Base,), {})())


again(assign, derive)
