# /// probe
# title = "one thread gives instances' dictionaries tables of their own, others iterate and look up: every value is its key's"
# properties = ["R1", "R6"]
# mutants = ["iter-pair-mix"]
# needs = ["threading"]
# ends = ["crash"]
# faults = ["mixed", "wrong"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
counts = [0, 0]


class Instance:
    pass


first = Instance()
# The class knows a before b; the others have them the other way round.
first.a, first.b = ["a"], ["b"]


def fresh():
    one = Instance()
    one.b, one.a = ["b"], ["a"]
    return one.__dict__


shared = [fresh()]


def writer():
    choose = below(0)
    while going():
        for _ in range(200):
            shared[0] = one = fresh()
            if FAULT == "mixed" and choose(10) == 0:
                one["b"], one["a"] = one["a"], one["b"]
            if FAULT == "wrong" and choose(10) == 0:
                one["a"] = ["stranger"]
            if FAULT:
                time.sleep(0.00001)
            # No name: the shared table cannot have it.
            one[7] = [7]


def reader(number):
    def body():
        while going():
            for _ in range(200):
                one = shared[0]
                try:
                    for key, value in one.items():
                        if value != [key]:
                            problem("R6: the pair %r, %r" % (key, value))
                            return
                except RuntimeError:
                    # Changed size while it was iterated, as the language says.
                    pass
                found = one.get("a")
                if found != ["a"]:
                    problem("R1: a was %r" % (found,))
                    return
            counts[number] += 200

    return body


threads(writer, reader(0), reader(1))
finish(sum(counts), "iterations")
