# /// probe
# title = "small arrays retired one after another, their goal taken without an advance, beside readers that never detach"
# properties = ["Q1", "Q5"]
# mutants = ["qsbr-next-without-fence", "qsbr-old-goal"]
# needs = ["threading", "shared-containers"]
# ends = ["crash"]
# faults = ["torn"]
# ///
# Store buffering suffices: the goal is loaded before the unlinking store is seen.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared, reads, retired = [(0, ~0)] * 4, [], 0


def writer(number):
    def body():
        global retired
        choose = below(number)
        while going():
            for _ in range(130):  # 127 frees without an advance, then one with
                shared.extend([(number, ~number)] * (4 + choose(28)))
                del shared[4:]
            retired += 130
            if FAULT == "torn" and retired > 1000:
                shared[1] = (1, 1)

    return body


def reader(number):
    def body():
        choose, count = below(10 + number), 0
        while going():
            for _ in range(100):
                try:
                    pair = shared[choose(12)]
                    if pair[1] != ~pair[0]:
                        problem("Q1: read %r" % (pair,))
                except IndexError:
                    pass
            count += 100
        reads.append(count)

    return body


threads(writer(1), writer(2), reader(1), reader(2))
finish(sum(reads), "reads beside %d retirements" % retired)
