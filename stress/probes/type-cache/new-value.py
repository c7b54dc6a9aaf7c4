# /// probe
# title = "one thread replaces an attribute of a class, others read it there and in a class that inherits it: it is always its own, and never older than what had been stored"
# properties = ["T1", "T3"]
# mutants = ["tc-no-tag-recheck"]
# needs = ["threading"]
# ends = ["crash"]
# faults = ["stranger", "stale"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
class Value:
    def __init__(self, number):
        self.number = number


class Base:
    x = Value(0)


class Derived(Base):
    pass


stored, counts = [0], [0, 0]


def writer():
    choose = below(0)
    number = 0
    while going():
        for _ in range(200):
            number += 1
            if FAULT == "stale" and choose(10) == 0:
                stored[0] = number
                time.sleep(0.0005)
                continue
            Base.x = Value(number)
            # The old value's block may become a stranger.
            Value(-1)
            stored[0] = number
            if FAULT == "stranger" and choose(10) == 0:
                Base.x = Value(-1)
            if FAULT:
                time.sleep(0.00001)


def reader(number):
    def body():
        classes = (Base, Derived)
        while going():
            for _ in range(200):
                for one in classes:
                    before = stored[0]
                    try:
                        found = one.x
                    except AttributeError:
                        problem("T1: an attribute that is never removed was absent")
                        return
                    if type(found) is not Value or found.number < 0:
                        problem("T1: x was %r" % getattr(found, "number", found))
                        return
                    if found.number < before:
                        problem("T3: x was %d after %d had been stored" % (found.number, before))
                        return
            counts[number] += 400

    return body


threads(writer, reader(0), reader(1))
finish(sum(counts), "reads")
