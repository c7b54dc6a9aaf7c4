# /// probe
# title = "threads take and drop references to shared objects in pairs: at rest every count is what it was"
# properties = ["R1", "R3"]
# mutants = ["arc-plain-count", "arc-wrap"]
# also = { biased = ["B1", "B2"] }
# needs = ["threading"]
# ends = ["crash"]
# faults = ["leak", "lost"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
if not hasattr(sys, "getrefcount"):
    skip("no sys.getrefcount")


class Thing:
    dead = False

    def __del__(self):
        self.dead = True


kept, operations, rounds = [], 0, 0


def foreign(things):
    """Objects of a thread that has ended."""
    return lambda: things.extend([Thing() for _ in range(8)])


while going():
    shared = [Thing() for _ in range(8)]
    threads(foreign(shared))
    if FAULT == "lost":
        kept = [shared[0]]
    gc.collect()  # what making them left behind
    before = [sys.getrefcount(shared[i]) for i in range(len(shared))]

    def user(number):
        choose = below(number + 10 * rounds)

        def body():
            global operations
            until = min(END, now() + 0.1)
            count = 0
            while now() < until:
                for _ in range(20):
                    thing = shared[choose(16)]
                    some = [thing] * (1 + choose(30))
                    pair = (thing, {"it": thing}, lambda: thing)
                    some.append(pair)
                    del some[choose(len(some)) :]
                    count += 1
                    if thing.dead:
                        problem("R1: finalized while held")
                del thing, some, pair
            operations += count

        return body

    threads(user(1), user(2), user(3))
    if FAULT == "leak":
        kept.append(shared[3])
    if FAULT == "lost":
        kept.clear()
    gc.collect()
    after = [sys.getrefcount(shared[i]) for i in range(len(shared))]
    for i in range(len(shared)):
        if before[i] != after[i]:
            problem("R3: the count of object %d went from %d to %d" % (i, before[i], after[i]))
    rounds += 1
finish(operations, "balanced turns in %d rounds" % rounds)
