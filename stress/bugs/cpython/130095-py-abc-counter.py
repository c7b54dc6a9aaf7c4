# python/cpython#130095: the invalidation counter of the pure-Python ABC loses updates on
# concurrent register()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import _py_abc


NUMBER = str if FAULT == "lost" else int


def turn():

    def register():
        for _ in range(5):
            class A(metaclass=_py_abc.ABCMeta):
                pass

            isinstance(42, A)
            A.register(NUMBER)
            if not isinstance(42, A):
                hit("registered, and no instance")

    together(register, register, register, register)


rounds(turn)
