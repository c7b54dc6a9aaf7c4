# /// probe
# title = "a popped string's block becomes an immortal string while it is being read: the stranger is not returned"
# properties = ["L1"]
# mutants = ["or-uncounted-unchecked"]
# also = { immortal = ["M1"] }
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["stranger"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
MOST = 200_000  # interned strings may live for ever
shared, reads, interned = [], [], 0


def writer():
    global interned
    number = 0
    while going():
        number += 1
        shared.append("item-%08d" % number)
        shared.append("item-%08d" % -number)
        shared.pop()
        if interned < MOST:  # as large as the string that has just been freed
            interned += 1
            stranger = sys.intern("none-%08d" % number)
            if FAULT == "stranger" and number > 100:
                shared.insert(0, stranger)
        shared.pop()
        if interned < MOST:
            interned += 1
            stranger = sys.intern("nope-%08d" % number)


def reader():
    count = 0
    while going():
        try:
            for _ in range(50):
                text = shared[0]
                if text[:5] != "item-":
                    problem("L1: read what was never in the list: %r" % text)
                text = shared[-1]
                if text[:5] != "item-":
                    problem("L1: read what was never in the list: %r" % text)
                count += 2
        except IndexError:
            pass
    reads.append(count)


threads(writer, reader, reader)
finish(sum(reads), "reads beside %d strings made immortal" % interned)
