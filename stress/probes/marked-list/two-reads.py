# /// probe
# title = "one thread pops and appends, others read an item twice: an item found is still there for the next read"
# properties = ["R8"]
# mutants = ["or-size-unchecked"]
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["early"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
items, popping, counts = [0], [-1], [0, 0]


def rest():
    # A GIL is given away at calls alone; what is planted must show there too.
    if FAULT == "early":
        time.sleep(0.00001)


def writer():
    k = 0
    while going():
        for _ in range(1000):
            if FAULT != "early":
                popping[0] = k
            items.pop()
            rest()
            items.append(k + 1)
            rest()
            k += 1


def reader(number):
    def body():
        while going():
            for _ in range(1000):
                found = None
                try:
                    found = items[0]
                    rest()
                    items[0]
                except IndexError:
                    # It is taken out only after `popping` has its number.
                    if found is not None and popping[0] < found:
                        problem("R8: item %d was read, then the list had none" % found)
            counts[number] += 1000

    return body


threads(writer, reader(0), reader(1))
finish(sum(counts), "pairs of reads")
