# /// probe
# title = "threads count under one lock, some with a time limit on their wait: no count is lost, the lock is free at the end"
# properties = ["M1", "M3", "M4"]
# mutants = ["park-timeout-drops-wake", "handoff-without-locked", "unpark-no-has-more", "mutex-lock-clears-parked"]
# needs = ["threading"]
# ends = ["hang"]
# faults = ["lost", "kept"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading

total = 0


def counted(lock, data, tallies, number, choose):
    def body():
        for _ in range(300):
            timed = choose(2) == 0
            got = lock.acquire(timeout=choose(50) / 1e6) if timed else lock.acquire()
            if not got:
                continue
            before = data[0]
            if choose(20) == 0:
                time.sleep(0.00002)  # long enough for others to sleep
            data[0] = before + 1
            tallies[number] += 1
            lock.release()

    return body


while going():
    lock, data, tallies = threading.Lock(), [0], [0] * 4
    threads(*[counted(lock, data, tallies, n, below(total * 4 + n)) for n in range(4)])
    if FAULT == "lost":
        data[0] -= 1
    if FAULT == "kept":
        lock.acquire()
    if data[0] != sum(tallies):
        problem("M1: %d after %d were counted" % (data[0], sum(tallies)))
    if lock.locked():
        problem("M4: the lock is taken when nobody has it")
    total += 1
finish(total, "rounds of four threads")
