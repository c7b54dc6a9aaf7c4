# /// probe
# title = "attributes of one class are looked up while they are replaced: each has one of its own values"
# properties = ["Q1"]
# mutants = ["seq-believes", "seq-reads-odd", "seq-unclaimed", "seq-abandon-after-write"]
# ends = ["crash"]
# faults = ["mixed"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
# The cache of look-ups has one entry for many names: a mixed one gives the value of another name, or of another class.
NAMES = ["n%d" % n for n in range(8)]
reads = []


def made(number):
    return type("C%d" % number, (), {name: (number, name, 0) for name in NAMES})


classes = [made(0), made(1)]


def writer():
    choose, written = below(1), 0
    while going() and written < 300_000:
        number, name = choose(2), NAMES[choose(8)]
        written += 1
        setattr(classes[number], name, (number, name, written))
        if FAULT == "mixed" and written == 1000:
            setattr(classes[number], name, (number, "other", written))
            time.sleep(0.2)


def reader(stream):
    def body():
        choose, count = below(stream), 0
        while going():
            number = choose(2)
            here = classes[number]
            for name in NAMES:
                for _ in range(4):
                    found = getattr(here, name)
                    if found[0] != number or found[1] != name:
                        problem("Q1: %s of class %d is %r" % (name, number, found))
            count += 32
        reads.append(count)

    return body


threads(writer, reader(2), reader(3))
finish(sum(reads), "look-ups beside replacements")
