# python/cpython#141365: one csv reader or writer used by several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import csv
import time


def fresh():
    return csv.reader("a%d,b,c" % i for i in range(100))


class Sink:
    def write(self, text):
        return len(text)


lines = ["a%d,b,c" % i for i in range(100)]
slot = [raises(SystemError("planted")) if FAULT == "raise" else csv.reader(lines)]
writer = csv.writer(Sink())


def read():
    try:
        for _ in range(50):
            row = next(slot[0], None)
            if row is None:
                slot[0] = csv.reader(lines)
    except SystemError as e:
        hit(repr(e))


def write():
    try:
        for _ in range(50):
            writer.writerow(["x" * 50, "y", time.monotonic_ns()])
            writer.writerow(["z" * 5000])
    except SystemError as e:
        hit(repr(e))


again(read, read, write, write)
