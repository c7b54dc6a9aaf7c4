# /// probe
# title = "threads sort by comparisons of their own and handle exceptions of their own: none meets another's"
# properties = ["T1", "T2", "T5"]
# mutants = ["tsl-stale-static", "tsl-exit-no-unlink", "tsl-cached-by-value"]
# needs = ["threading", "functools"]
# ends = ["crash"]
# faults = ["order", "exception"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
from functools import cmp_to_key

total = 0


def own(number, choose):
    def compare(a, b):
        if choose(50) == 0:
            time.sleep(0)  # others sort meanwhile
        return (a - b) if number % 2 else (b - a)

    def body():
        kind, text, _ = sys.exc_info()
        if kind is not None:
            problem("T5: a thread begins with %r" % (text,))
        for turn in range(20):
            items = [choose(1000) for _ in range(20)]
            right = sorted(items, reverse=number % 2 == 0)
            items.sort(key=cmp_to_key(compare))
            if FAULT == "order":
                items.reverse()
            if items != right:
                problem("T2: sorted by the comparison of another")
            try:
                raise ValueError((number, turn))
            except ValueError:
                if choose(4) == 0:
                    time.sleep(0)
                found = sys.exc_info()[1].args[0]
                if FAULT == "exception":
                    found = (number + 1, turn)
                if found != (number, turn):
                    problem("T1: %r where %r was raised" % (found, (number, turn)))

    return body


while going():
    threads(*[own(number, below(total * 4 + number)) for number in range(4)])
    total += 4
finish(total, "threads that sorted and raised")
