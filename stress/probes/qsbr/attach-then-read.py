# /// probe
# title = "threads that have just attached read what is being retired: nothing freed under them"
# properties = ["Q1", "Q4"]
# mutants = ["qsbr-attach-unfenced", "qsbr-fence-before-wr", "qsbr-attach-relaxed", "qsbr-scan-unfenced"]
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["torn"]
# ///
# x86 orders a locked exchange before later loads, so qsbr-attach-unfenced and qsbr-fence-before-wr
# can show on ARM only; the relaxed attach shows on both.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared, table, reads, writes = [(0, ~0)], {"a": (0, ~0)}, [], 0


def writer():
    global writes
    choose = below(1)
    while going():
        number = writes
        shared.extend([(number, ~number)] * (1 + choose(400)))
        del shared[1:]
        shared[0] = (number, 7) if FAULT == "torn" and writes > 20 else (number, ~number)
        table.update({n: (number, ~number) for n in range(choose(60))})
        for n in range(60):
            table.pop(n, None)
        writes += 1


def reader():
    count = 0
    while going():
        time.sleep(0)  # offline; the next line is the first read of a new interval
        for pair in table.copy().values():
            if pair[1] != ~pair[0]:
                problem("Q1: read %r" % (pair,))
        time.sleep(0)
        pair = shared[0]
        if pair[1] != ~pair[0]:
            problem("Q1: read %r" % (pair,))
        time.sleep(0)
        try:
            for pair in shared:
                if pair[1] != ~pair[0]:
                    problem("Q1: read %r" % (pair,))
        except IndexError:
            pass
        count += 3
    reads.append(count)


threads(writer, reader, reader, reader)
finish(sum(reads), "first reads after attaching, beside %d retirements" % writes)
