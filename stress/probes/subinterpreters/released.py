# /// probe
# title = "an object that is sent to another interpreter many times: every reference comes back"
# properties = ["S2"]
# mutants = ["sub-release-ring-full", "sub-pending-nothing"]
# ends = ["crash"]
# faults = ["leak"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import _interpreters, _interpqueues
except ImportError:
    _interpreters = None

kept, rounds, sent = [], 0, 0


class Other:
    """Another interpreter, at the end of a queue."""

    def __init__(self):
        self.id = _interpreters.create()
        self.queue = int(_interpqueues.create(0, 0, 1))

    def send(self, value):
        _interpqueues.put(self.queue, value, 0, 1)

    def take(self, count):
        code = "import _interpqueues\nfor _ in range(%d): _interpqueues.get(%d)"
        problem_there = _interpreters.exec(self.id, code % (count, self.queue))
        if problem_there is not None:
            problem("the other interpreter got %s" % problem_there)


class Forgetful:
    """Instead of it, what never gives back the last that it has taken."""

    def __init__(self):
        self.values = []

    def send(self, value):
        self.values.append(value)

    def take(self, count):
        kept.append(self.values.pop())
        self.values.clear()


if _interpreters is None and not FAULT:
    skip("no module _interpreters")
other, choose = (Forgetful if FAULT == "leak" else Other)(), below(0)
while not rounds or going() and rounds < 2000:
    value = bytes([choose(256) for _ in range(50)])
    before, count = sys.getrefcount(value), 1 + choose(1000)
    for _ in range(count):
        other.send(value)
    other.take(count)
    # What the other has left to do here is done at safe points.
    if not settle(lambda: sys.getrefcount(value) <= before):
        left = sys.getrefcount(value) - before
        problem("S2: %d of %d references did not come back" % (left, count))
    rounds, sent = rounds + 1, sent + count
finish(sent, "objects sent to another interpreter")
