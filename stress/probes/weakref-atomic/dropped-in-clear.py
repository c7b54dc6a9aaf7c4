# /// probe
# title = "the last reference to a weak reference goes inside its target's clearing: its attributes' destructors may use weak references"
# properties = ["W8"]
# mutants = ["wr-callback-under-lock"]
# also = { weakref-biased = ["W8"] }
# needs = ["threading", "weakref"]
# ends = ["crash"]
# faults = ["missing"]
# ///
# A destructor that runs inside the lock waits for itself: this program then hangs.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref

TARGETS, REFS = 6, 6
others = []  # enough objects to meet every stripe of the weak references' locks
rounds, released = 0, []


class Target:
    pass


class Noisy:
    def __del__(self):
        for other in others[:: 1 + rounds % 9]:
            weakref.ref(other)()
        released.append(1)


class Ref(weakref.ref):
    pass


others = [Target() for _ in range(256)]
while going() and rounds < 20_000:
    targets, refs, ready = [Target() for _ in range(TARGETS)], [], []
    for target in targets:
        for _ in range(REFS):
            ref = Ref(target)
            ref.noisy = Noisy()
            refs.append(ref)
    del ref, target
    released.clear()

    def meet():
        ready.append(1)
        while len(ready) < 2 and now() < END + 5:
            pass

    def drop_target():
        meet()
        while targets:
            targets.pop()

    def drop_refs():
        meet()
        for _ in range(rounds * 7 % 80):
            pass
        while refs:
            refs.pop()

    if FAULT == "missing":
        others.append(refs[0])
        others[-1] = refs[0].noisy
    threads(drop_target, drop_refs)
    if not settle(lambda: len(released) >= TARGETS * REFS):
        problem("W8: %d of %d destructors ran" % (len(released), TARGETS * REFS))
    rounds += 1
finish(rounds * TARGETS, "targets cleared beside the last drops of their weak references")
