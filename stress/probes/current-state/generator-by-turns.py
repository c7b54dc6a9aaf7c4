# /// probe
# title = "threads go on with one generator by turns; what it makes in each is freed once"
# properties = ["P1", "P2"]
# mutants = ["tls-cache-in-generator"]
# needs = ["threading"]
# ends = ["crash"]
# faults = ["leak", "order"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
# By turns: that two threads enter a generator at once is another fault.
import threading

died, made, kept = [], 0, []


class Thing:
    def __init__(self, key):
        self.key, self.room = key, [key] * 5

    def __del__(self):
        died.append(self.key)


def things():
    key = 0
    while True:
        yield Thing(key)
        key += 2 if FAULT == "order" else 1


turns, source, last = threading.Lock(), things(), [-1]


def worker(choose):
    def body():
        global made
        while going():
            with turns:
                if made >= 200_000:
                    return
                thing = next(source)
                made += 1
                if thing.key != last[0] + 1:
                    problem("P1: the generator gave %d after %d" % (thing.key, last[0]))
                last[0] = thing.key
            held = [thing] * choose(4)
            if FAULT == "leak":
                kept.append(thing)
            if choose(30) == 0:
                time.sleep(0)
            del held, thing

    return body


threads(*[worker(below(n)) for n in range(3)])
source.close()
source = None
freed_once(died, made)
finish(made, "objects that a generator made")
