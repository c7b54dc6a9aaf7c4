# /// probe
# title = "strings interned by threads that do not own them while the owner counts: one string for a text, immortal for ever"
# properties = ["M1", "M3", "M5"]
# mutants = ["imm-foreign-set"]
# also = { biased = ["B5"] }
# needs = ["threading"]
# ends = ["crash"]
# faults = ["mortal", "two"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
MOST = 150_000  # interned strings may live for ever
FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()
local = None
if sys.implementation.name == "cpython" and FREE_THREADED and sys.version_info[:2] in ((3, 13), (3, 14)):
    import ctypes

    # ob_ref_local of a free-threaded header; all ones means immortal. None is.
    local = lambda thing: ctypes.c_uint32.from_address(id(thing) + 12).value
    if local(None) != 0xFFFFFFFF:
        local = None
if FAULT == "mortal":
    local = lambda thing: 1

rounds = 0
while going() and rounds * 200 < MOST:
    texts = ["text-%d-%d" % (rounds, n) for n in range(200)]
    ready, won = [], []

    def meet():
        ready.append(1)
        while len(ready) < 3 and now() < END + 5:
            pass

    def owner():
        mine = ["".join(list(text)) for text in texts]  # fresh strings of this thread
        shared.extend(mine)
        meet()
        for text in mine:
            again = [text, text, text]

    def foreign():
        while len(shared) < 200:
            time.sleep(0)
        meet()
        for text in list(shared):
            won.append("".join(list(text)) if FAULT == "two" else sys.intern(text))

    shared = []
    threads(owner, foreign, foreign)
    shared.clear()
    gc.collect(0)
    for text in won:
        again = sys.intern("".join(list(text)))
        if again is not text:
            problem("M1: two strings are interned for %r" % text)
        if local and local(text) != 0xFFFFFFFF:
            problem("M1: an interned string is mortal again: %r" % text)
    rounds += 1
finish(rounds * 200, "strings interned by three threads%s" % (", headers read" if local else ""))
