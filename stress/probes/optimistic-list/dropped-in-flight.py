# /// probe
# title = "the last reference of a list's items goes while readers are fetching them: an item is read whole or not at all"
# properties = ["L2", "L4"]
# mutants = ["vc-plain-incref", "vc-undo-lost", "vc-retry-forever"]
# also = { marked-list = ["R2", "R5"] }
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["dead", "leak", "twice"]
# ///
# One slot, one item: the reader's increment meets the decrement that takes the count to zero.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
died, reads, kept, made = [], [], [], 0


class Item:
    def __init__(self, key):
        self.key, self.check, self.dead = key, ~key, False

    def __del__(self):
        self.dead = True
        died.append(self.key)


slot = [Item(0)]


def writer():
    global made
    choose = below(1)
    while going() and made < 150_000:
        for _ in range(200):
            made += 1
            slot[0] = Item(made)
            if FAULT == "dead":
                slot[0].dead = True
            if FAULT == "leak":
                kept.append(slot[0])
            if FAULT == "twice":
                slot[0].__del__()
        for _ in range(choose(400)):  # let readers look at one item for a while
            pass


def reader():
    count = 0
    while going():
        item = slot[0]
        if item.dead or item.check != ~item.key:
            problem("L2: read an item that is not alive: %r" % item.key)
        item = None
        count += 1
    reads.append(count)


threads(writer, reader, reader, reader)
slot.clear()
freed_once(died, made + 1)
finish(sum(reads), "reads beside %d last drops" % made)
