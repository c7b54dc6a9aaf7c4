# python/cpython#145272: f.__code__ = g.__code__ while the function is called
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def target():
    return 1


def other():
    return 2


one, two = target.__code__, other.__code__


def assign():
    for _ in range(50):
        target.__code__ = two
        target.__code__ = one


def call():
    for _ in range(50):
        target()


again(assign, call, call)
