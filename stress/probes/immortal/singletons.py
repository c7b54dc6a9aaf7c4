# /// probe
# title = "None, booleans, small integers and other immortals keep their count under load; counted ones come back to it"
# properties = ["M1", "M2", "M3"]
# mutants = ["imm-no-incref-check", "imm-no-decref-check", "imm-bulk-wrap"]
# needs = ["threading"]
# ends = ["crash"]
# faults = ["changed", "leak"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
if not hasattr(sys, "getrefcount"):
    skip("no sys.getrefcount")
singletons = [None, True, False, Ellipsis, NotImplemented, 0, 1, 255, "", "a", (), b"", int, object]
SLACK = 2000  # a counted singleton is also used by the interpreter itself
kept, operations = [], []


def counts():
    return [sys.getrefcount(thing) for thing in singletons]


before = counts()
held = [[thing] * 10 for thing in singletons]
immortal = [after == count for after, count in zip(counts(), before)]  # ten references change nothing
del held
if FAULT == "changed":
    immortal, before = [True] + immortal[1:], [before[0] - 1] + before[1:]


def worker(number):
    def body():
        choose, count = below(number), 0
        while going():
            for thing in singletons:
                some = [thing] * (1 + choose(100))
                pair = {"it": (thing, thing)}
                if FAULT == "leak":
                    kept.extend(some)
                del some[choose(100) :]
                count += 1
            thing = some = pair = None
            check(counts(), "under load")
        operations.append(count)

    return body


def check(found, when):
    for place in range(len(singletons)):
        if immortal[place] and found[place] != before[place]:
            problem("M1: %s %r counts %d, counted %d" % (when, singletons[place], found[place], before[place]))


threads(worker(1), worker(2), worker(3))
gc.collect()
after = counts()
check(after, "at rest")
for place in range(len(singletons)):
    if not immortal[place] and abs(after[place] - before[place]) > SLACK:
        problem("M2: the count of %r went from %d to %d" % (singletons[place], before[place], after[place]))
finish(sum(operations), "turns on %d immortal and %d counted singletons" % (sum(immortal), len(immortal) - sum(immortal)))
