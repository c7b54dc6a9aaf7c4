# /// probe
# title = "objects made by one thread and dropped by another: whole while held, each freed once, all freed at rest"
# properties = ["B1", "B2", "B7"]
# mutants = ["brc-queue-no-ref", "brc-requeue", "brc-merge-ignores-shared", "brc-fastpath-ignores-flags", "brc-logical-shift", "brc-clear-late", "brc-tid-after-merge"]
# also = { atomic = ["R1", "R3"] }
# needs = ["threading"]
# ends = ["crash"]
# faults = ["leak", "twice", "early"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
died, mail, counts, kept = [], [], [], []


class Thing:
    def __init__(self, key):
        self.key, self.dead = key, False

    def __del__(self):
        self.dead = True
        died.append(self.key)


def owner(number):
    def body():
        choose, made = below(number), 0
        while going() and made < 100_000:
            batch = [Thing(number * 1_000_000 + made + i) for i in range(1 + choose(40))]
            made += len(batch)
            mail.append(batch)
            how = choose(4)
            if how == 0:  # detached: nothing of its queue can be handled
                time.sleep(0.0005)
            elif how == 1:  # its own reference goes before the others'
                batch = None
            elif how == 2:  # safe points all the time
                for _ in range(choose(300)):
                    pass
            while len(mail) > 50 and going():
                time.sleep(0)
        counts.append(made)

    return body


def dropper():
    while going():
        try:
            batch = mail.pop()
            while True:
                thing = batch.pop()
                if FAULT == "early":
                    thing.dead = True
                if thing.dead:
                    problem("B2: finalized while held")
                if FAULT == "leak":
                    kept.append(thing)
                if FAULT == "twice":
                    thing.__del__()
        except IndexError:
            time.sleep(0)


threads(owner(1), owner(2), dropper, dropper)
mail.clear()
freed_once(died, sum(counts))
finish(len(died), "objects dropped by another thread than their maker's")
