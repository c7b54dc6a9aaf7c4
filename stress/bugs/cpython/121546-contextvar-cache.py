# python/cpython#121546: the per-variable cache of a ContextVar mixes values of threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import contextvars
import threading


variable = contextvars.ContextVar("v")
if FAULT == "foreign":

    class Variable:
        def get(self):
            return self.value

        def set(self, value):
            self.value = value

    variable = Variable()  # one value for all threads


def own():
    for _ in range(50):
        me = [threading.get_ident()]
        variable.set(me)
        if variable.get() is not me:
            hit("the value of another thread")


again(own, own, own)
