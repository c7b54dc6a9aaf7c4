# /// probe
# title = "code that runs while a dead object's weak references are being cleared cannot upgrade one of them"
# properties = ["W2"]
# mutants = ["fin-owned-zero"]
# also = { weakref-atomic = ["W2"] }
# needs = ["weakref"]
# ends = ["crash"]
# faults = ["revived"]
# ///
# One thread suffices. A weak reference that is dying itself still holds its callback; clearing drops
# that, and the callback's own destructor asks a sibling for the dead object.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref

upgraded, rounds, asked, finalized = [], 0, 0, False


class Target:
    def __del__(self):
        global finalized
        finalized = True


class Slotted(weakref.ref):
    __slots__ = ("held",)


class Dropper:
    def __del__(self):
        holder.clear()  # the target dies in here


class Callback:
    def __call__(self, ref):
        pass

    def __del__(self):
        global asked
        if holder or not finalized:
            return  # a VM that drops the callback first: the target is alive
        asked += 1
        found = sibling()
        if FAULT == "revived":
            found = self
        if found is not None:
            upgraded.append(found)  # kept: what happens to it now is not defined


while going() and not upgraded:
    for _ in range(20):
        holder, finalized = [Target()], False
        sibling = weakref.ref(holder[0], lambda ref: None)
        dying = Slotted(holder[0], Callback())
        dying.held = Dropper()
        del dying
        if holder or sibling() is not None and not upgraded:
            problem("W2: the target did not die")
        rounds += 1
if upgraded:
    problem("W2: a dead object was upgraded")
    print("hit: " + problems[0])
    try:
        sys.stdout.flush()
        import os

        os._exit(1)  # leaving in order would free it once more
    except ImportError:
        pass
finish(asked, "upgrades while a dead object's references were cleared, in %d deaths" % rounds)
