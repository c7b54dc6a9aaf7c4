# /// probe
# title = "owners end while others drop their objects; thread ids repeat; what survives a generation is dropped by the next"
# properties = ["B2", "B5", "B7"]
# mutants = ["brc-unlink-first", "brc-exit-gap", "brc-abandon-unlocked"]
# also = { atomic = ["R1", "R3"], thread-states = ["L4"] }
# needs = ["threading"]
# ends = ["crash"]
# faults = ["leak", "twice"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
died, survivors, kept = [], [], []
made = generations = 0


class Thing:
    def __init__(self, key):
        self.key = key

    def __del__(self):
        died.append(self.key)


def generation(first, old):
    """Owners that end at once, beside threads that drop the last generation's and this one's."""
    new = []

    def owner(start):
        def body():
            for key in range(start, start + 20):
                new.append([Thing(key)])

        return body

    def drop(source, turns):
        for _ in range(turns):
            try:
                item = source.pop()
                if FAULT == "leak":
                    kept.append(item)
                if FAULT == "twice":
                    item[0].__del__()
            except IndexError:
                pass

    def dropper():
        drop(new, 30)
        drop(old, 30)

    threads(owner(first), owner(first + 20), owner(first + 40), dropper, dropper)
    old.clear()
    return new


while going() and made < 200_000:
    survivors = generation(made, survivors)
    made += 60
    generations += 1
survivors.clear()
freed_once(died, made)
finish(generations, "generations of threads that ended before their objects")
