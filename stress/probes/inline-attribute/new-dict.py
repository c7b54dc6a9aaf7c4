# /// probe
# title = "one thread replaces and changes an instance's dictionary, others read an attribute: it is always there and always its own"
# properties = ["R1", "R4"]
# mutants = ["attr-null-believed", "attr-stale-inline"]
# needs = ["threading"]
# ends = ["crash"]
# faults = ["absent", "stranger"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
NAME = "x"


class Instance:
    pass


class Value:
    def __init__(self, name):
        self.name = name


shared, counts = [Instance()], [0, 0]
shared[0].x = Value(NAME)


def writer():
    choose = below(0)
    while going():
        for _ in range(200):
            one = Instance()
            one.x = Value(NAME)
            shared[0] = one
            if choose(2):
                one.__dict__ = {NAME: Value(NAME)}
            else:
                # The values leave the instance; then an old one's block may become a stranger.
                one.__dict__
                one.x = Value(NAME)
                Value("stranger")
            if FAULT == "absent" and choose(10) == 0:
                del one.x
            if FAULT == "stranger" and choose(10) == 0:
                one.x = Value("stranger")
            if FAULT:
                time.sleep(0.00001)


def reader(number):
    def body():
        while going():
            for _ in range(200):
                one = shared[0]
                for _ in range(5):
                    try:
                        found = one.x
                    except AttributeError:
                        problem("R4: an attribute that is never removed was absent")
                        return
                    if type(found) is not Value or found.name != NAME:
                        problem("R1: x was %r" % getattr(found, "name", found))
                        return
            counts[number] += 1000

    return body


threads(writer, reader(0), reader(1))
finish(sum(counts), "reads")
