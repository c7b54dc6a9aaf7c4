# RustPython/RustPython#7341: a specialised instruction's cached pointer and version are two
# writes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class One:
    def f(self):
        return 1


class Two:
    def f(self):
        return 2


one, two = One(), One() if FAULT == "foreign" else Two()


def call(it):
    return it.f()


def first():
    try:
        for _ in range(50):
            if call(one) != 1:
                hit("the method of another class")
    except AttributeError:
        pass


def second():
    try:
        for _ in range(50):
            if call(two) != 2:
                hit("the method of another class")
    except AttributeError:
        pass


def assign():
    try:
        for _ in range(50):
            One.g = 1
            del One.g
    except AttributeError:
        pass


again(first, second, assign)
