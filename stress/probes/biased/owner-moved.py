# /// probe
# title = "collections beside foreign drops of blocks that one thread made and another reused: each freed once"
# properties = ["B1", "B5"]
# mutants = ["brc-stale-tid"]
# needs = ["threading"]
# ends = ["crash"]
# faults = ["leak", "twice"]
# ///
# A stopped world gives an object to the thread whose segment its block lies in. Free lists carry
# blocks between threads: S makes lists, T frees them into its free list and makes its own of them;
# F drops T's while collections move the owner between F's look at it and F's place in T's queue.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
died, from_s, from_t, kept, counts = [], [], [], [], []


class Thing:
    def __init__(self, key):
        self.key = key

    def __del__(self):
        died.append(self.key)


def maker():  # S
    while going():
        if len(from_s) < 200:
            from_s.append([[] for _ in range(60)])
        else:
            time.sleep(0)


def reuser():  # T
    made = 0
    while going() and made < 120_000:
        try:
            from_s.pop().clear()
        except IndexError:
            pass
        batch = [[Thing(made + i)] for i in range(40)]
        made += 40
        from_t.append(batch)
        del batch
        while len(from_t) > 50 and going():
            time.sleep(0)
    counts.append(made)


def dropper():  # F
    while going():
        try:
            batch = from_t.pop()
        except IndexError:
            time.sleep(0)
            continue
        while batch:
            item = batch.pop()
            if FAULT == "leak":
                kept.append(item)
            if FAULT == "twice":
                item[0].__del__()


def collector():
    global collections
    while going():
        gc.collect()
        collections += 1


collections = 0
threads(maker, reuser, dropper, dropper, collector)
from_t.clear()
freed_once(died, sum(counts))
finish(collections and len(died), "objects dropped beside %d collections" % collections)
