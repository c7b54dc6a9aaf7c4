# /// probe
# title = "two lists extend each other, two dicts update each other, two sets are compared, in both directions: nobody hangs, nothing is lost"
# properties = ["C1", "C5"]
# mutants = ["cs2-unsorted", "cs-suspend-nothing", "cs-no-resume-on-end"]
# needs = ["threading", "shared-containers"]
# ends = ["crash", "hang"]
# faults = ["lost", "hang"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
a, b = [1], [2]
left, right = {1: 1}, {2: 2}
ones, twos = {1, 2}, {2, 3}
counts, last = [0, 0], [now(), now()]


def both(number, x, y, d, e, s, t):
    def body():
        while going():
            for _ in range(100):
                x.extend(y)
                same = x
                same += y
                del x[1:]
                if FAULT != "lost" or number or counts[0] < 100:
                    x[0] = number + 1
                else:
                    x[0] = 3 - number
                d.update(e)
                if s & t != {2} or s | t != {1, 2, 3}:
                    problem("C1: sets that nobody changes differ")
                if x[:1] != [number + 1]:
                    problem("C1: the first of %r is not the thread's own" % (x[:3],))
                    return
            counts[number] += 100
            last[number] = now()
            while FAULT == "hang" and number and going():
                pass

    return body


def watch():
    # Long beside what a hundred rounds take, on a slow machine too.
    limit = 0.1 if FAULT == "hang" else 30
    while going():
        time.sleep(0.01)
        for number in range(2):
            if now() - last[number] > limit:
                problem("C5: thread %d stands still" % number)


threads(both(0, a, b, left, right, ones, twos), both(1, b, a, right, left, twos, ones), watch)
finish(sum(counts), "rounds")
