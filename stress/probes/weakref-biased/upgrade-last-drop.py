# /// probe
# title = "weak references upgraded beside the last drop: a whole object or None, and None for ever after the callback"
# properties = ["W1", "W2", "W3"]
# mutants = ["wr-plain-incref", "wr-test-then-incref", "wr-no-recheck", "wr-lock-via-target", "wr-no-maybe-flag"]
# also = { weakref-atomic = ["W1", "W2", "W3"], biased = ["B6"] }
# needs = ["threading", "weakref"]
# ends = ["crash"]
# faults = ["torn", "revived", "refused"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref

MOST = 100_000
upgrades, dead_seen, kept = [], [], []


class Target:
    def __init__(self, key):
        self.key, self.check = key, ~key


class Stranger:
    """As large as a target, made right after each death."""

    def __init__(self):
        self.key = self.check = 0


slot = [(0, weakref.ref(Target(0)), [1])]  # key, reference, what its callback appends to
made = 0


def writer():
    global made
    choose = below(1)
    while going() and made < MOST:
        made += 1
        target = Target(made)
        if FAULT == "torn" and made > 100:
            target.check = 5
        if FAULT == "revived":
            kept.append(target)
        announced = []
        referent = Target(made) if FAULT == "refused" else target
        reference = weakref.ref(referent, lambda ref, announced=announced: announced.append(1))
        del referent  # of a planted refusal: nobody holds it any more
        slot[0] = (made, reference, announced)
        for _ in range(choose(100)):
            pass
        found = slot[0][1]()
        if found is not target:
            problem("W3: an object that is held was refused")
        del target, found, reference
        strangers = [Stranger(), Stranger()]
        if FAULT == "revived":
            announced.append(1)


def reader():
    got = none = 0
    while going():
        key, ref, announced = slot[0]
        was_gone = bool(announced)
        target = ref()
        if target is None:
            none += 1
            if ref() is not None:
                problem("W2: None, and then an object")
            continue
        got += 1
        if was_gone:
            problem("W2: target %d upgraded after its callback had run" % key)
        if type(target) is not Target or target.check != ~target.key or target.key != key:
            problem("W1: upgraded to something else than target %d: %s" % (key, type(target).__name__))
        del target
    upgrades.append(got)
    dead_seen.append(none)


threads(writer, reader, reader, reader)
finish(sum(upgrades) and sum(upgrades) + sum(dead_seen), "upgrades, %d of them None, beside %d last drops" % (sum(dead_seen), made))
