# /// probe
# title = "threads count under a lock that they take again; who does not hold it is refused"
# properties = ["M1", "M3", "M5"]
# mutants = ["rmutex-unlock-order", "rmutex-keeps-owner", "rmutex-inner-unlocks", "rmutex-unlock-unchecked"]
# needs = ["threading"]
# ends = ["hang"]
# faults = ["lost", "stranger"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading

total = 0


class Loose:
    """A lock that lets everybody release it: planted."""

    def acquire(self):
        pass

    def release(self):
        pass


def counted(lock, data, tallies, number, choose):
    def body():
        for _ in range(200):
            try:
                lock.release()
                problem("M5: who does not hold the lock is not refused")
            except RuntimeError:
                pass
            depth = 1 + choose(3)
            for _ in range(depth):
                lock.acquire()
            for _ in range(depth):
                before = data[0]
                if choose(40) == 0:
                    time.sleep(0.00001)  # long enough for others to try
                data[0] = before + 1
                tallies[number] += 1
                lock.release()

    return body


while going():
    lock, data, tallies = threading.RLock(), [0], [0] * 3
    if FAULT == "stranger":
        lock = Loose()
    threads(*[counted(lock, data, tallies, n, below(total * 3 + n)) for n in range(3)])
    if FAULT == "lost":
        data[0] -= 1
    if data[0] != sum(tallies):
        problem("M1: %d after %d were counted" % (data[0], sum(tallies)))
    total += 1
finish(total, "rounds of three threads")
