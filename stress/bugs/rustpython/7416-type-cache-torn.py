# RustPython/RustPython#7416: the method cache is read while a class attribute is replaced
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Box:
    def f(self):
        return 1


box = Box()


third = (lambda self: 4) if FAULT == "foreign" else lambda self: 3


def assign():
    try:
        for _ in range(50):
            Box.f = lambda self: 2
            Box.f = third
    except AttributeError:
        pass


def call():
    try:
        for _ in range(50):
            if box.f() not in (1, 2, 3):
                hit("a method that never was")
    except AttributeError:
        pass


again(assign, call, call)
