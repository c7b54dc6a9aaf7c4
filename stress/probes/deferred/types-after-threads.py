# /// probe
# title = "counts of types, functions and code after threads that made instances and calls have ended"
# properties = ["D3", "D6"]
# mutants = ["def-exit-lost-slot", "def-small-surplus", "def-id-reuse-dirty", "def-no-surplus-removal"]
# needs = ["threading"]
# ends = ["crash"]
# faults = ["leak", "lost"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref

if not hasattr(sys, "getrefcount"):
    skip("no sys.getrefcount")
kept, rounds, instances, immortal = [], 0, 0, 0


def program():
    space = {}
    exec("class Temp:\n    def method(self):\n        return self\n\ndef call(x):\n    return x\n", space)
    return space["Temp"], space["call"]


def counts(things):
    return [sys.getrefcount(things[place]) for place in range(len(things))]


def one_round():
    global instances, immortal
    Temp, call = program()
    things = [Temp, Temp.method, call, call.__code__]
    passed = []
    threads(lambda: None)  # a second thread exists from now on
    if FAULT == "lost":
        kept.append(Temp)
    call(Temp().method())  # what the first use or making them leaves behind is no fault
    gc.collect()
    before = counts(things)

    def maker():  # counts up in its own slot, and ends
        for _ in range(200):
            passed.append(call(Temp().method()))

    def dropper():  # counts down in its own
        for _ in range(200):
            try:
                passed.pop()
            except IndexError:
                pass
            call(1)

    threads(maker, maker, dropper, dropper)
    passed.clear()
    if FAULT == "leak":
        kept.append(Temp())
    if FAULT == "lost":
        kept.clear()
    gc.collect()
    after = counts(things)
    for place in range(len(things)):
        if after[place] != before[place]:
            problem("D3: the count of %r went from %d to %d" % (things[place], before[place], after[place]))
    instances += 400
    immortal += before[0] >= 1 << 29
    alive = weakref.ref(Temp)
    return alive, before[0] >= 1 << 29


while going():
    alive, for_ever = one_round()
    if not for_ever and not settle(lambda: alive() is None):
        problem("D6: a dropped class is alive after collections")
    rounds += 1
finish(instances, "instances in %d rounds, %d with immortal types" % (rounds, immortal))
