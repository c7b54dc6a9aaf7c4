# /// probe
# title = "threads that only compute hand the lock over: nobody is starved, and whoever was asked to drop it lets another run"
# properties = ["L1", "L2", "L4"]
# mutants = ["gil-no-forced-switch", "gil-switch-check-outside", "gil-lost-signal", "gil-unlocked-count"]
# needs = ["threading", "gil"]
# ends = ["hang"]
# faults = ["starve", "lost"]
# ///
# Judged by counts, not by time: shares of the turns, once there were enough hand-overs.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
WORKERS = 4
if hasattr(sys, "setswitchinterval"):
    sys.setswitchinterval(0.0005)
last, turns, switches = -1, [0] * WORKERS, [0] * WORKERS
counter, steps = [0], [0] * WORKERS


def worker(number):
    def body():
        global last
        while going():
            if FAULT == "starve" and number == 1 and turns[1] > 0:
                return
            if last != number:
                last = number
                switches[number] += 1
            turns[number] += 1
            for _ in range(50):
                counter[0] += 1  # several steps: may lose some, and says nothing
            steps[number] += 1

    return body


def asleep():
    """A waiter of another kind: its wake-up must not get lost."""
    while going():
        time.sleep(0.001)
        woken.append(1)


woken = []
threads(asleep, *[worker(number) for number in range(WORKERS)])
if FAULT == "lost":
    woken.clear()
handovers = sum(switches)
if handovers > 20 * WORKERS:
    for number in range(WORKERS):
        if turns[number] * 100 * WORKERS < sum(turns):
            problem("L2: thread %d had %d of %d turns in %d hand-overs" % (number, turns[number], sum(turns), handovers))
    if not woken:
        problem("L4: a sleeping thread never came back in %d hand-overs" % handovers)
    finish(handovers, "hand-overs, shares %s" % " ".join(str(turn) for turn in turns))
finish(0, "hand-overs: too few to judge (%d)" % handovers)
