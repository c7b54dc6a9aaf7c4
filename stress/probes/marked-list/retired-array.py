# /// probe
# title = "the slots of a retired array never change: a reader that stalled there must not return what a block has become"
# properties = ["R1", "R3"]
# mutants = ["or-array-unchecked", "or-publish-early", "or-foreign-resize-unmarked"]
# also = { optimistic-list = ["L1", "L3"] }
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["stranger"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
class Item:
    __slots__ = ("key", "check")

    def __init__(self, key):
        self.key, self.check = key, ~key


class Stranger:
    __slots__ = ("key", "check")

    def __init__(self):
        self.key = self.check = 0


shared, seen, reads, grown = [Item(0)], [None] * 4, [], 0


def writer():
    global grown
    choose = below(1)
    while going():
        shared.extend([Item(key) for key in range(8 + choose(60))])  # a new array
        shared[0] = Item(0)  # the old item dies; the old array still has its address
        stranger = Stranger()
        seen[choose(4)] = stranger
        shared[0] = Item(1)
        if FAULT == "stranger" and grown > 20:
            shared[0] = stranger
        grown += 1
        if len(shared) > 300:
            del shared[1:]  # and back to a small array


def holder():
    while going():
        held = [seen[0], seen[1], seen[2], seen[3]]


def reader():
    count = 0
    while going():
        for _ in range(50):
            item = shared[0]
            if type(item) is not Item:
                problem("R1: read what was never in the list: %s" % type(item).__name__)
        count += 50
    reads.append(count)


threads(writer, holder, reader, reader)
finish(sum(reads), "reads beside %d resizes" % grown)
