# /// probe
# title = "__del__ hands its object to other threads, which drop it at once: __del__ exactly once, freed exactly once"
# properties = ["F1", "F2"]
# mutants = ["fin-end-plain", "fin-bit-after-release", "fin-bit-lost"]
# also = { weakref-atomic = ["F1", "F2"], biased = ["B2"] }
# needs = ["threading"]
# ends = ["crash"]
# faults = ["twice", "leak", "torn"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
finalized, freed, saved, kept, counts = [], [], [], [], []


class Token:
    """Dies with the object that holds it."""

    def __init__(self, key):
        self.key = key

    def __del__(self):
        freed.append(self.key)


class Phoenix:
    def __init__(self, key):
        self.key, self.token = key, Token(key)

    def __del__(self):
        finalized.append(self.key)
        if FAULT == "leak":
            kept.append(self)
        if FAULT == "torn":
            self.key = -1
        saved.append(self)
        if FAULT == "twice" and len(finalized) < 50:
            finalized.append(self.key)


def maker(number):
    def body():
        choose, made = below(number), 0
        while going() and made < 40_000:
            batch = [Phoenix(number * 1_000_000 + made + n) for n in range(1 + choose(20))]
            made += len(batch)
            if choose(2):
                saved.append(batch)  # dropped elsewhere
            del batch
            while len(saved) > 500 and going():
                time.sleep(0)
        counts.append(made)

    return body


def taker():
    while going():
        try:
            thing = saved.pop()
        except IndexError:
            continue
        if type(thing) is Phoenix and thing.token.key != thing.key:
            problem("F2: resurrected without its contents")
        del thing


threads(maker(1), maker(2), taker, taker)
while saved:
    saved.pop()
made = sum(counts)
freed_once(freed, made)
if len(finalized) != len(set(finalized)):
    problem("F1: __del__ ran twice for %d objects" % (len(finalized) - len(set(finalized))))
elif len(finalized) != made and not problems:
    problem("F1: __del__ ran for %d of %d objects" % (len(finalized), made))
finish(made, "objects resurrected")
