# /// probe
# title = "a list's __del__ publishes it and another thread reads it for the first time: no mark is lost, __del__ runs once"
# properties = ["F1"]
# mutants = ["fin-bit-lost"]
# also = { weakref-atomic = ["F1"] }
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["twice"]
# ///
# The finalized mark and the shared mark are bits of one byte, set by two threads at that moment.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
finalized, slot, made, reads = [], [None], 0, []


class Phoenix(list):
    def __del__(self):
        finalized.append(self.key)
        slot[0] = self
        for _ in range(self.key % 24):  # the reader comes sooner or later in here, or just after
            pass
        if FAULT == "twice" and self.key == 200:
            finalized.append(self.key)


def maker():
    global made
    while going() and made < 500_000:
        it = Phoenix((1, 2, 3))
        it.key = made
        made += 1
        del it  # __del__ publishes it; the next one's takes its place, and it dies


def reader():
    count = 0
    while going():
        found = slot[0]
        if found is not None:
            count += 1
            if found[1] != 2:
                problem("F1: read %r" % found[1])
        found = None
    reads.append(count)


threads(maker, reader, reader)
slot[0] = None
settle(lambda: len(finalized) >= made)
if len(finalized) != len(set(finalized)):
    problem("F1: __del__ ran twice for %d objects" % (len(finalized) - len(set(finalized))))
elif len(finalized) != made:
    problem("F1: __del__ ran for %d of %d objects" % (len(finalized), made))
finish(made, "lists resurrected beside %d first reads" % sum(reads))
