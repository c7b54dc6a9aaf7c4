# python/cpython#129547: C.__annotations__ makes its dict on first access
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    class Meta(type):
        if FAULT == "two":
            __annotations__ = property(lambda cls: {})  # a new one each time

    classes = [Meta("C", (), {}) if FAULT == "two" else type("C", (), {}) for _ in range(many(300))]
    if any(a is not b for a, b in in_step(len(classes), lambda i: classes[i].__annotations__)):
        hit("one class, two __annotations__")


rounds(turn)
