# /// probe
# title = "list items, attributes, cells and globals read while they are replaced: what is read is alive, what is replaced is freed once"
# properties = ["G1", "G3"]
# mutants = ["arc-borrowed-get", "arc-incr-after-unlock"]
# also = { borrowed = ["R1", "R3"] }
# needs = ["threading"]
# ends = ["crash"]
# faults = ["dead", "leak", "twice"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
died, counts, kept = [], [], []


class Thing:
    def __init__(self, key):
        self.key, self.check, self.dead = key, ~key, False

    def __del__(self):
        self.dead = True
        died.append(self.key)


class Box:
    pass


box, items = Box(), [None] * 4
cell = current = None


def cells():
    cell = Thing(0)

    def put(thing):
        nonlocal cell
        cell = thing

    return put, lambda: cell


put, get = cells()
box.thing = current = Thing(1)
items[:] = [Thing(key) for key in range(2, 6)]


def writer(number):
    def body():
        global current
        choose, made = below(number), 0
        while going() and made < 100_000:
            thing = Thing(number * 1_000_000 + made)
            made += 1
            where = choose(4)
            if where == 0:
                items[choose(4)] = thing
            elif where == 1:
                box.thing = thing
            elif where == 2:
                put(thing)
            else:
                current = thing
            if FAULT == "leak":
                kept.append(thing)
            if FAULT == "twice":
                thing.__del__()
            if FAULT == "dead":
                thing.dead = True
        counts.append(made)

    return body


reads = []


def reader(number):
    def body():
        choose, count = below(10 + number), 0
        while going():
            for thing in (items[choose(4)], box.thing, get(), current):
                if thing.dead or thing.check != ~thing.key:
                    problem("G1: what was read is not alive")
            thing = None
            count += 4
        reads.append(count)

    return body


threads(writer(1), writer(2), reader(1), reader(2))
items.clear()
put(None)
box.thing = current = None
freed_once(died, 6 + sum(counts))
finish(sum(reads), "reads beside %d replacements" % sum(counts))
