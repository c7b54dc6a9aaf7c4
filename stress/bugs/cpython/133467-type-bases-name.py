# python/cpython#133467: C.__bases__ and C.__name__ are plain writes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class A:
    pass


class B:
    pass


class C(A):
    pass


def assign():
    for _ in range(50):
        C.__bases__ = (B,)
        C.__name__ = "D"
        C.__bases__ = (A,)
        C.__name__ = "C"


def read():
    for _ in range(50):
        C.__base__
        C.__mro__
        C.__name__
        C.__bases__


again(assign, read)
