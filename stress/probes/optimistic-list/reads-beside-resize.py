# /// probe
# title = "list reads beside append, insert, pop, clear, slices and resize: every item read was put there, and is alive"
# properties = ["L1", "L2", "L3"]
# mutants = ["vc-plain-incref", "vc-skip-slot", "vc-skip-version", "vc-single-bump", "or-size-as-bound", "or-free-array-now"]
# also = { marked-list = ["R1", "R2", "R3"] }
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["stranger", "dead", "leak"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
died, counts, kept, reads = [], [], [], []


class Item:
    def __init__(self, key):
        self.key, self.check, self.dead = key, ~key, False

    def __del__(self):
        self.dead = True
        died.append(self.key)


class Stranger:
    """As large as an item, and never in the list."""

    def __init__(self):
        self.key, self.check, self.dead = 0, 0, False


shared = [Item(0)]


def writer(number):
    def body():
        choose, made = below(number), 0
        while going() and made < 80_000:
            for _ in range(choose(70)):
                item = Item(number * 1_000_000 + made)
                made += 1
                if FAULT == "leak":
                    kept.append(item)
                if FAULT == "dead":
                    item.dead = True
                if choose(8):
                    shared.append(item)
                else:
                    shared.insert(0, item)
            item = None
            if FAULT == "stranger":
                shared.append(Stranger())
            how = choose(5)
            try:
                if how == 0:
                    shared.clear()
                elif how == 1:
                    while True:
                        shared.pop()
                        strangers = [Stranger(), Stranger()]
                elif how == 2:
                    del shared[choose(10) :]
                elif how == 3:
                    shared[:] = shared[choose(8) :]
                else:
                    shared.reverse()
            except IndexError:
                pass
            if len(shared) > 2000:
                shared.clear()
        counts.append(made)

    return body


def right(item):
    if type(item) is not Item:
        problem("L1: read what was never in the list: %s" % type(item).__name__)
    elif item.dead or item.check != ~item.key:
        problem("L2: read an item that is not alive: %r" % item.key)


def reader(number):
    def body():
        choose, count = below(30 + number), 0
        while going():
            try:
                for _ in range(20):
                    right(shared[choose(40)])
                    right(shared[-1])
                    count += 2
            except IndexError:
                pass
            if choose(10) == 0:
                for item in shared:
                    right(item)
                    count += 1
                    if count % 64 == 0 and not going():
                        break
                for item in shared[: choose(50)]:
                    right(item)
                    count += 1
                item = None
        reads.append(count)

    return body


threads(writer(1), writer(2), reader(1), reader(2))
shared.clear()
freed_once(died, 1 + sum(counts))
finish(sum(reads), "reads beside %d insertions" % sum(counts))
