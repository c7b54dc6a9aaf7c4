# /// probe
# title = "objects handed from thread to thread through slots, several holders at once: whole while held, freed once"
# properties = ["B1", "B2", "B6"]
# mutants = ["brc-queue-no-ref", "brc-requeue", "brc-try-zero", "brc-try-dead", "brc-flag-store"]
# also = { atomic = ["R1"] }
# ends = ["crash"]
# faults = ["torn", "leak"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
SLOTS, MOST = 8, 60_000
counts, died, kept = [], [], []
HAS_DEL = Thread is not None  # MicroPython collects, and calls no __del__ of Python classes


class Thing:
    def __init__(self, key):
        self.key, self.check, self.dead = key, ~key, False

    def __del__(self):
        self.dead = True
        died.append(self.key)


slots = [Thing(key) for key in range(SLOTS)]


def swap(place, thing):
    """Without a promise about shared containers the exchange is the user's to protect."""
    if HAS_DEL:
        old = slots[place]
        slots[place] = thing
        return old
    with LOCK:
        old = slots[place]
        slots[place] = thing
        return old


def runner(number):
    def body():
        choose, made, turns = below(number), 0, 0
        mine = None
        while going():
            turns += 1
            if mine is None and made < MOST:
                mine = Thing(number * 1_000_000 + made)
                made += 1
            if mine is None:
                break
            if FAULT == "torn" and turns == 100:
                mine.check = 0
            if FAULT == "leak":
                kept.append(mine)
            mine = swap(choose(SLOTS), mine)
            if mine.check != ~mine.key or mine.dead:
                problem("B2: an object that is held is not whole: %r %r" % (mine.key, mine.dead))
            if choose(3) == 0:
                mine = None
        counts.append((made, turns))

    return body


threads(*[runner(number) for number in range(1, 5)])
turns = sum(count[1] for count in counts)
if HAS_DEL:
    slots.clear()
    freed_once(died, SLOTS + sum(count[0] for count in counts))
finish(turns, "hand-overs")
