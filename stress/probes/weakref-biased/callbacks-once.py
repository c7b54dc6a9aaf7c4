# /// probe
# title = "callbacks of many weak references, targets dropped by several threads: each once, all siblings dead before the first"
# properties = ["W4", "W6", "W8"]
# mutants = ["wr-callback-early", "wr-callback-under-lock"]
# also = { weakref-atomic = ["W4", "W6", "W8"] }
# needs = ["threading", "weakref"]
# ends = ["crash"]
# faults = ["missing", "twice", "alive"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref

TARGETS, REFS = 40, 4
expected, total, called, kept = 0, 0, [], []


class Target:
    pass


while going():
    targets = [[Target() for _ in range(TARGETS)]]
    refs = [[] for _ in range(TARGETS)]
    base = expected

    def callback(number, place):
        def body(ref):
            called.append(number)
            if FAULT == "twice":
                called.append(number)
            if ref() is not None:
                problem("W4: a callback's own reference is alive")
            for sibling in refs[place]:
                if sibling() is not None:
                    problem("W4: a sibling is alive when a callback runs")
            weakref.ref(body)()  # a callback may make and use weak references

        if FAULT == "alive":
            return lambda ref: body(weakref.ref(body))
        return body

    def creator(number):
        """Other threads make the references, too."""
        def body():
            for place in range(TARGETS):
                for one in range(REFS // 2):
                    key = base + place * REFS + number * (REFS // 2) + one
                    refs[place].append(weakref.ref(targets[0][place], callback(key, place)))

        return body

    threads(creator(0), creator(1))
    if FAULT == "missing":
        kept.append(targets[0][0])
    parts = [targets[0][part::3] for part in range(3)]
    targets.clear()

    def dropper(part):
        def body():
            while parts[part]:
                parts[part].pop()

        return body

    threads(dropper(0), dropper(1), dropper(2))
    expected += TARGETS * REFS
    total += TARGETS * REFS
    if not settle(lambda: len(called) >= expected):
        problem("W6: %d of %d callbacks ran" % (len(called), expected))
    if len(set(called)) != len(called):
        problem("W6: a callback ran twice")
    if expected % 20_000 == 0:
        called, expected = [], 0
        gc.collect()
finish(total, "callbacks, %d targets at a time" % TARGETS)
