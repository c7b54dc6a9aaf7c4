# python/cpython#128714: f.__annotations__ is built on first access by several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    class Unbuilt:
        @property
        def __annotations__(self):
            return {}  # a new one each time

    def make():
        def f(x: int, y: str) -> None:
            pass

        return f


    functions = [Unbuilt() if FAULT == "two" else make() for _ in range(many(1000))]
    if any(a is not b for a, b in in_step(len(functions), lambda i: functions[i].__annotations__)):
        hit("one function, two __annotations__")


rounds(turn)
