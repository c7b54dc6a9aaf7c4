# /// probe
# title = "threads make and drop plain weak references of one object: one at a time, and it gives the object"
# properties = ["W3", "W6", "W7"]
# mutants = ["wr-reuse-dying", "wr-create-no-recheck", "wr-unlink-first"]
# needs = ["threading", "weakref"]
# ends = ["crash"]
# faults = ["second", "dead"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref


class Target:
    pass


class Other(weakref.ref):
    """A weak reference that is never given out again."""


counts = [0, 0]


def worker(number, target):
    def body():
        for _ in range(2000):
            first = weakref.ref(target)
            second = Other(target) if FAULT == "second" else weakref.ref(target)
            if first is not second:
                problem("W7: two plain weak references of one object at a time")
            if FAULT == "dead":
                second = weakref.ref(Target())
            if second() is not target:
                problem("W3: a weak reference of a held object gives %r" % (second(),))
            # The last one at times, while the other thread asks for it.
            del first, second
        counts[number] += 2000

    return body


while going():
    target = Target()
    threads(worker(0, target), worker(1, target))
finish(sum(counts), "pairs of weak references")
