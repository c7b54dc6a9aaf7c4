# /// probe
# title = "dict reads beside growth, deletion, clear and replacement: a value read is alive and belongs to its key"
# properties = ["G1", "G3"]
# mutants = ["arc-borrowed-get", "arc-incr-after-unlock"]
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["foreign", "leak", "lost"]
# ///
# No model of a dict is in the catalogue: these are a strong getter's properties.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
died, counts, kept, reads = [], [], [], []


class Value:
    def __init__(self, key, number):
        self.key, self.number, self.dead = key, number, False

    def __del__(self):
        self.dead = True
        died.append(self.number)


def name(n):
    """Strings are compared at once; tuples by code that a VM may run outside its locks."""
    return "k%d" % n if n % 2 else ("k", n)


table = {"always": Value("always", 0)}


def writer(number):
    def body():
        choose, made = below(number), 0
        while going() and made < 250_000:
            width = (8, 100)[choose(2)]  # few keys again and again; or across several sizes of the table
            for _ in range(choose(60)):
                key = name(choose(width))
                if width == 8:
                    table.pop(name(choose(8)), None)
                value = Value("wrong" if FAULT == "foreign" else key, number * 1_000_000 + made)
                table[key] = value
                if FAULT == "leak":
                    kept.append(value)
                made += 1
            value = None
            how = choose(4)
            if how == 0:
                table["always"] = Value("always", number * 1_000_000 + made)
                made += 1
            elif how == 1:
                for key in list(table):
                    if key != "always":
                        table.pop(key, None)
            elif how == 2:
                table.pop(name(choose(100)), None)
            else:
                table.update({name(i): None for i in range(choose(100))})
            if FAULT == "lost":
                table.pop("always", None)
        counts.append(made)

    return body


def right(key, value):
    if value is not None and (value.key != key or value.dead):
        problem("G1: under %r there was %r, dead: %r" % (key, value.key, value.dead))


def reader(number):
    def body():
        choose, count = below(20 + number), 0
        while going():
            key = name(choose((8, 100)[choose(2)]))
            right(key, table.get(key))
            if key in table:
                try:
                    right(key, table[key])
                except KeyError:
                    pass
            try:
                right("always", table["always"])
            except KeyError:
                problem("G1: a key that was never removed is absent")
            count += 3
            if choose(20) == 0:
                try:
                    for key, value in table.items():
                        right(key, value)
                        count += 1
                except RuntimeError:  # its size changed: allowed
                    pass
            value = None
        reads.append(count)

    return body


threads(writer(1), writer(2), reader(1), reader(2))
table.clear()
freed_once(died, 1 + sum(counts))
finish(sum(reads), "reads beside %d writes" % sum(counts))
