# python/cpython#112075: two threads build the __dict__ of one instance at once
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    class Record:
        if FAULT == "two":
            __dict__ = property(lambda self: {})  # a new one each time


    records = [Record() for _ in range(many(2000))]
    if any(a is not b for a, b in in_step(len(records), lambda i: records[i].__dict__)):
        hit("one object, two __dict__")


rounds(turn)
