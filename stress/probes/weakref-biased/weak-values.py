# /// probe
# title = "WeakValueDictionary beside deaths: a fresh value stays under its key, a dead one does not stay for ever"
# properties = ["W2", "W4"]
# mutants = ["wr-callback-early"]
# also = { weakref-atomic = ["W2", "W4"] }
# needs = ["threading", "weakref", "shared-containers"]
# faults = ["removed", "kept"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref

KEYS = 6
table, dying, reads, writes, kept = weakref.WeakValueDictionary(), [], [], [], []


class Value:
    def __init__(self, key):
        self.key = key


def writer(number):
    def body():
        choose, count = below(number), 0
        value = None
        while going():
            key = (number, choose(KEYS))
            old = Value(key)
            table[key] = old
            dying.append(old)  # its last reference goes on another thread
            del old
            value = Value(key)
            table[key] = value
            if FAULT == "removed":
                table.pop(key, None)
            if FAULT == "kept":
                kept.append(value)
            for _ in range(choose(60)):
                pass
            if table.get(key) is not value:
                problem("C1: a value that is held was removed from under its key")
            count += 1
        writes.append(count)

    return body


def dropper():
    while going():
        try:
            dying.pop()
        except IndexError:
            pass


def reader():
    count = 0
    while going():
        for number in (1, 2):
            for place in range(KEYS):
                value = table.get((number, place))
                if value is not None and value.key != (number, place):
                    problem("W2, or the dict below: under %r there was the value of %r" % ((number, place), value.key))
                count += 1
        value = None
        try:
            for value in table.values():
                count += 1
        except RuntimeError:  # its size changed: allowed
            pass
        value = None
    reads.append(count)


threads(writer(1), writer(2), dropper, reader)
dying.clear()
if not settle(lambda: len(table) == 0):
    problem("C2: %d dead entries stay" % len(table))
finish(sum(writes), "replacements beside %d reads" % sum(reads))
