# /// probe
# title = "lists that no other thread has read yet: their first foreign readers arrive while the owner resizes"
# properties = ["R3", "R1"]
# mutants = ["or-mark-relaxed", "or-mark-unlocked"]
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["stranger"]
# ///
# On x86 stores are seen in order, so the relaxed mark (or-mark-relaxed) can show on ARM only.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
class Item:
    __slots__ = ("key", "check")

    def __init__(self, key):
        self.key, self.check = key, ~key


place, reads, lists = [[Item(0)]], [], 0


def owner():
    global lists
    choose = below(1)
    while going():
        fresh = [Item(0)]
        place[0] = fresh  # unmarked
        for key in range(choose(40)):
            fresh.append(Item(key))
        if FAULT == "stranger" and lists > 50:
            fresh[0] = None
        fresh.extend([Item(key) for key in range(choose(200))])
        del fresh[1:]
        lists += 1


def reader():
    count, last = 0, None
    while going():
        found = place[0]
        if found is last:
            continue
        last = found
        for _ in range(12):
            item = found[0]
            if type(item) is not Item or item.check != ~item.key:
                problem("R1: read what was never in the list: %s" % type(item).__name__)
        count += 12
    reads.append(count)


threads(owner, reader, reader)
finish(sum(reads), "reads of %d fresh lists" % lists)
