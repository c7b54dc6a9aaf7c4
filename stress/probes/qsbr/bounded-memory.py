# /// probe
# title = "arrays and tables retired beside readers that reach safe points are given back: memory stays within a bound"
# properties = ["Q5", "Q6"]
# mutants = ["qsbr-quiesce-mid-read", "qsbr-unsigned-compare", "qsbr-old-goal"]
# faults = ["hold"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
# A reader that waits for a processor holds all that is retired meanwhile: peaks above 33 MiB were seen.
LIMIT = 96 << 20
WORDS = 4000
block = [None] * WORDS


def used():
    if hasattr(gc, "mem_alloc"):
        gc.collect()
        return gc.mem_alloc()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


try:
    start = used()
except OSError:
    skip("no /proc/self/statm to read the memory in use from")

PRIVATE = Thread is None  # MicroPython without its lock promises nothing about a shared list
LOOK = 1024 if PRIVATE else 64  # there a look costs a collection
shared, table, kept, retired = [0] * 10, {}, [], 0
row = {n: None for n in range(200)}


def writer():
    global retired, start
    turn = 0
    while going():
        mine = [] if PRIVATE else shared
        mine.extend(block)
        if FAULT == "hold" and len(kept) < 8000:
            kept.append(list(mine))
        mine.clear()
        if turn % 8 == 0:
            table.update(row)
            table.clear()
        retired += WORDS * 8
        turn += 1
        if turn % LOOK == 0:
            if turn <= 1024 // (1 if PRIVATE else 4):
                start = used()
            elif used() - start > LIMIT:
                problem("Q6: %d MiB more in use after %d MiB were retired" % ((used() - start) >> 20, retired >> 20))


def reader():
    while going():
        for _ in range(100):
            try:
                if not PRIVATE:
                    shared[50]
            except IndexError:
                pass
            table.get(7) if not PRIVATE else None
        time.sleep(0)  # or the list's lock is theirs most of the time


threads(writer, reader, reader)
finish(retired >> 20 if retired > 2 * LIMIT else 0, "MiB retired, at most %d MiB held" % (LIMIT >> 20))
