# /// probe
# title = "weak references dropped while their target dies: no link of a freed one is edited"
# properties = ["W6", "W1"]
# mutants = ["wr-dealloc-skip-lock"]
# also = { weakref-biased = ["W6", "W1"] }
# needs = ["threading", "weakref"]
# ends = ["crash"]
# faults = ["twice", "revived"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref

TARGETS, REFS = 12, 16
rounds, called, kept = 0, [], []


class Target:
    pass


while going() and rounds < 20_000:
    targets = [Target() for _ in range(TARGETS)]
    refs = [[weakref.ref(target, called.append) for _ in range(REFS)] for target in targets]
    plain = [weakref.ref(target) for target in targets]
    witnesses = [weakref.ref(target, lambda ref: None) for target in targets]
    ready = []
    target = None

    def meet():
        ready.append(1)
        while len(ready) < 3 and now() < END + 5:
            pass

    def drop_target():
        meet()
        if FAULT == "revived":
            kept.append(targets[0])
        while targets:
            targets.pop()

    def drop_refs(turns):
        def body():
            meet()
            for _ in range(turns):
                pass
            for place in reversed(range(TARGETS)):  # as the targets go
                mine = refs[place]
                plain[place] = None
                for _ in range(REFS // 2):
                    mine.pop()

        return body

    threads(drop_target, drop_refs(rounds * 7 % 60), drop_refs(rounds * 3 % 40))
    if FAULT == "twice":
        called.extend(called + [None] * TARGETS * REFS)
    if len(called) > TARGETS * REFS:
        problem("W6: more callbacks than references")
    if not settle(lambda: all(witness() is None for witness in witnesses)):
        problem("W1: the target is alive without references")
    called.clear()
    rounds += 1
finish(rounds * TARGETS, "targets that died beside their weak references")
