# /// probe
# title = "collections beside threads that run, block, begin and end: every pause ends, and everybody goes on"
# properties = ["S1", "L1", "L2"]
# mutants = ["stw-no-repoll", "stw-exit-not-counted", "stw-clear-requested-late", "stw-suspend-nothing"]
# needs = ["threading", "gc"]
# ends = ["hang"]
# faults = ["hang", "lost"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
steps = {"runs": 0, "blocks": 0, "begins": 0, "collects": 0}
last = dict.fromkeys(steps, now())


def repeated(name, what):
    def body():
        while going():
            what()
            if FAULT != "lost" or name != "begins" or steps[name] != 3:
                steps[name] += 1
                last[name] = now()
            while FAULT == "hang" and name == "blocks" and going():
                time.sleep(0.001)

    return body


def runs():
    cell = []
    for _ in range(300):
        cell.append(cell)
    del cell


def begins():
    thread = Thread(target=runs)
    thread.start()
    thread.join()


def watch():
    # Long beside any step, on a slow machine too.
    limit = 0.1 if FAULT else 30
    while going():
        time.sleep(0.01)
        for name in steps:
            if now() - last[name] > limit:
                problem("L1: whoever %s stands still" % name)


def blocks():
    time.sleep(0.0001)


threads(
    repeated("runs", runs),
    repeated("blocks", blocks),
    repeated("begins", begins),
    repeated("collects", gc.collect),
    watch,
)
finish(sum(steps.values()), "steps")
