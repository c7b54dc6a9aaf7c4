# /// probe
# title = "waves of forty threads attach, retire arrays that others read, and end with frees pending"
# properties = ["Q1", "Q5"]
# mutants = ["qsbr-detach-relaxed", "qsbr-wr-after-scan"]
# ends = ["crash"]
# also = { qsbr-slots = ["N2", "N4"] }
# faults = ["torn", "missing"]
# ///
# Forty at once: more than the 8, 16 and 32 slots at which the table of readers is moved.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ALIVE = 40 if Thread else 8
shared = [[n, ~n] for n in range(64)]
ran, waves = 0, 0


def short(number):
    def body():
        global ran
        choose = below(waves * 64 + number)
        mine = [[n, ~n] for n in range(choose(300))]
        for _ in range(10):
            pair = shared[choose(64)]
            if FAULT == "torn" and waves == 2:
                pair[1] = 7
            if pair[1] != ~pair[0]:
                problem("Q1: read %r" % (pair,))
            if Thread:
                shared[choose(64)] = [number, ~number]
            mine.extend([pair] * choose(200))
            del mine[choose(20) :]
            if choose(4) == 0:
                time.sleep(0)  # detach and attach
        with LOCK:
            ran += 1

    return body


while going():
    bodies = [short(number) for number in range(ALIVE)]
    threads(*(bodies[1:] if FAULT == "missing" else bodies))
    waves += 1
    if ran != waves * ALIVE and not problems:
        problem("Q5: %d threads ran of %d" % (ran, waves * ALIVE))
finish(ran, "threads that came and went")
