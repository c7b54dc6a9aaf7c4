# /// probe
# title = "object headers read while threads count: flags only grow, a negative shared half is queued, merged means no owner"
# properties = ["B1", "B3"]
# mutants = ["brc-requeue", "brc-merge-ignores-shared", "brc-tid-after-merge", "brc-flag-store", "brc-logical-shift"]
# needs = ["threading", "ctypes", "no-gil"]
# ends = ["crash"]
# faults = ["back", "negative", "unowned", "miscounted"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
# Include/object.h of a free-threaded build: offsets of ob_tid, ob_ref_local, ob_ref_shared, ob_type.
LAYOUT = {(3, 13): (0, 12, 16, 24), (3, 14): (0, 12, 16, 24)}
INITIAL, MAYBE_WEAK, QUEUED, MERGED = range(4)
NAMES = ("initial", "maybe-weak", "queued", "merged")


def step(last, word):
    """What is wrong with a shared word that was read after one with flag `last`."""
    flag, count = word & 3, word >> 2
    if flag < last:
        return "B3: the flag went from %s back to %s" % (NAMES[last], NAMES[flag])
    if count < 0 and flag != QUEUED:
        return "B3: a shared half of %d without being queued (%s)" % (count, NAMES[flag])
    return None


def rest(tid, local, word, holders):
    """What is wrong with a header at rest, with so many references."""
    flag, count = word & 3, word >> 2
    if (tid == 0) != (flag == MERGED):
        return "B3: owner %#x with flag %s" % (tid, NAMES[flag])
    if flag == MERGED and local:
        return "B3: merged, with a local half of %d" % local
    if local + count != holders:
        return "B1: %d + %d counted, %d references" % (local, count, holders)
    return None


FORGED = {
    "back": lambda: step(QUEUED, 4 * 1 + MAYBE_WEAK),
    "negative": lambda: step(INITIAL, 4 * -1 + INITIAL),
    "unowned": lambda: rest(0, 1, INITIAL, 1),
    "miscounted": lambda: rest(4096, 2, INITIAL, 1),
}
if FAULT in FORGED:
    problem(FORGED[FAULT]() or "the forged header was not noticed")
    problems[0].startswith("B") and finish(1, "forged header")
    sys.exit("the forged header was not noticed")

import ctypes

offsets = LAYOUT.get(sys.version_info[:2])
if sys.implementation.name != "cpython" or offsets is None or getattr(sys, "_is_gil_enabled", lambda: True)():
    skip("no header layout known of this build")


class Thing:
    pass


def views(thing):
    base = id(thing)
    kinds = (ctypes.c_size_t, ctypes.c_uint32, ctypes.c_ssize_t, ctypes.c_size_t)
    return [kind.from_address(base + offset) for kind, offset in zip(kinds, offsets)]


first = Thing()
tid, local, shared, kind = views(first)
if kind.value != id(Thing) or local.value != 1 or shared.value != 0 or tid.value == 0:
    skip("the header is not laid out as in 3.13")

samples, seen = 0, set()
while going():
    targets, handed, ready = [], [], []

    def owner():
        for _ in range(24):
            targets.append(Thing())
        handed.extend(targets * 3)  # references that the owner counts and others drop
        ready.append(1)
        until = now() + 0.05
        while now() < until and going():
            for thing in targets:
                again = [thing, thing]
            time.sleep(0)

    def foreign(number):
        choose = below(number)

        def body():
            while not ready:
                time.sleep(0)
            until = now() + 0.06
            while now() < until and going():
                try:
                    handed.pop(choose(len(handed) or 1))
                except IndexError:
                    pass
                for thing in targets:
                    again = [thing, thing]

        return body

    def observer():
        global samples
        while not ready:
            time.sleep(0)
        words = [(views(thing)[2], [INITIAL]) for thing in list(targets)]
        until = now() + 0.06
        while now() < until and going():
            for word, last in words:
                value = word.value
                wrong = step(last[0], value)
                if wrong:
                    problem(wrong)
                last[0] = value & 3
                seen.add(value & 3)
                samples += 1

    threads(owner, foreign(1), foreign(2), observer)
    handed.clear()
    gc.collect()
    for place in range(len(targets)):
        tid, local, shared, kind = views(targets[place])
        wrong = rest(tid.value, local.value, shared.value, 1)
        if wrong:
            problem(wrong)
        seen.add(shared.value & 3)
finish(samples, "headers read, in the states %s" % " ".join(NAMES[flag] for flag in sorted(seen)))
