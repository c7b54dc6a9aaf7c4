# /// probe
# title = "functions dropped while other threads run them: alive until the last caller returns, gone afterwards"
# properties = ["D1", "D6"]
# mutants = ["def-no-stack-scan", "def-unspilled", "def-close-by-object", "def-no-surplus-removal"]
# needs = ["threading"]
# ends = ["crash"]
# faults = ["early", "leak"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref

TEXT = "def function(enter, leave):\n    local = [1, 2, 3]\n    enter()\n    leave()\n    return local\n"
kept, calls, mortal, returned = [], 0, 0, []


def caller(box, entered, gate):
    def leave():
        while not gate and now() < END + 5:
            time.sleep(0)

    def body():
        function = box[0]
        entered.append(1)
        if function(lambda: entered.append(2), leave) != [1, 2, 3]:
            problem("D1: a running function lost its constants")
        del function
        returned.append(1)

    return body


def one_round():
    """The function lives in three callers' frames only while collections run."""
    global calls
    space = {}
    exec(TEXT, space)
    box, entered, gate = [space.pop("function")], [], []
    alive = weakref.ref((lambda: 0) if FAULT == "early" else box[0])

    def main():
        while entered.count(2) < 3 and now() < END + 5:
            time.sleep(0)
        box.clear()
        gc.collect()
        if alive() is None:
            problem("D1: a function that is running is gone")
        gate.append(1)

    if FAULT == "leak":
        kept.append(box[0])
    threads(main, *[caller(box, entered, gate) for _ in range(3)])
    calls += 3
    function = alive()
    for_ever = function is not None and hasattr(sys, "getrefcount") and sys.getrefcount(function) >= 1 << 29
    return alive, for_ever


while going():
    alive, for_ever = one_round()
    if not for_ever:
        mortal += 1
        if not settle(lambda: alive() is None):
            problem("D6: a dropped function is alive after its callers returned and collections ran")
finish(calls, "calls of dropped functions, %d of them mortal" % mortal)
