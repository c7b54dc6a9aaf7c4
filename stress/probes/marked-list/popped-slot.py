# /// probe
# title = "pop leaves its slot as it was: a reader that stalled there must not return what its block has become"
# properties = ["R1"]
# mutants = ["or-slot-check-only", "or-no-slot-recheck", "or-plain-incref"]
# also = { optimistic-list = ["L1"] }
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
    """In the same size class; other threads hold it, so that its shared count is not zero."""

    __slots__ = ("key", "check")

    def __init__(self):
        self.key = self.check = 0


shared, seen, reads, pops = [Item(0), Item(1)], [None] * 4, [], 0


def writer():
    global pops
    while going():
        for key in range(100):
            shared.append(Item(key))
            shared.pop()
            stranger = Stranger()
            seen[key & 3] = stranger
            if FAULT == "stranger" and pops > 500:
                shared.append(stranger)
            pops += 1


def holder():
    """Takes references to the strangers, so that they are counted as shared."""
    while going():
        held = [seen[0], seen[1], seen[2], seen[3]]


def reader():
    count = 0
    while going():
        for _ in range(50):
            try:
                item = shared[-1]
                if type(item) is not Item:
                    problem("R1: read what was never in the list: %s" % type(item).__name__)
                count += 1
                item = shared[2]
                if type(item) is not Item:
                    problem("R1: read what was never in the list: %s" % type(item).__name__)
                count += 1
            except IndexError:
                pass
    reads.append(count)


threads(writer, holder, reader, reader)
finish(sum(reads), "reads beside %d pops" % pops)
