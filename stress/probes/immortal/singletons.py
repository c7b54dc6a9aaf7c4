# /// probe
# title = "None, booleans, small integers and other immortals keep their count under load; counted ones come back to it"
# properties = ["M1", "M2", "M3"]
# mutants = ["imm-no-incref-check", "imm-no-decref-check", "imm-bulk-wrap"]
# needs = ["threading"]
# faults = ["changed", "leak"]
# ///
# --- kit: the same lines in every probe (stress/probes/kit.py) ---
import gc
import sys
import time
import _thread

try:
    from threading import Thread
except ImportError:  # MicroPython
    Thread = None

# python FILE [SECONDS [SEED [FAULT]]]; a fault is planted so that the probe's own check must report it.
_args = (sys.argv[1:] + ["3", "1", ""][len(sys.argv) - 1 :])[:3]
now = getattr(time, "monotonic", time.time)
END, SEED, FAULT = now() + float(_args[0]), int(_args[1]), _args[2]
LOCK = _thread.allocate_lock()
problems = []


def problem(text):
    with LOCK:
        problems.append(text)


def going():
    return now() < END and not problems


def below(stream):
    """A generator of numbers: `below(k)(n)` is the next one below n of stream k of this seed."""
    state = [(SEED * 7919 + stream * 104729 + 1) % 2147483647]

    def choose(limit):
        state[0] = state[0] * 48271 % 2147483647
        return state[0] % limit

    return choose


def threads(*bodies):
    """Runs every body on a thread of its own until all have ended."""
    left = [len(bodies)]

    def one(body):
        try:
            body()
        except Exception as error:
            problem("a thread got %s: %s" % (type(error).__name__, error))
        with LOCK:
            left[0] -= 1

    if Thread:
        started = [Thread(target=one, args=(body,)) for body in bodies]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        return
    for body in bodies:
        _thread.start_new_thread(one, (body,))
    while left[0]:
        time.sleep(0.001)


def settle(done):
    """Whether `done()` holds at rest; safe points and collections are given to what is late."""
    for _ in range(60):
        if done():
            return True
        gc.collect()
        time.sleep(0.005)
    return done()


def freed_once(died, made):
    """At rest each of `made` objects must have been freed, and none twice."""
    settle(lambda: len(died) >= made)
    if len(died) - len(set(died)):
        problem("freed twice: %d objects" % (len(died) - len(set(died))))
    elif len(died) != made:
        problem("never freed: %d of %d objects" % (made - len(died), made))


def skip(why):
    print("skip: " + why)
    sys.exit(77)


def finish(count, what):
    """Says what was checked, and leaves with 1 when something was wrong."""
    for text in problems[:5]:
        print("hit: " + text)
    print("checked: %d %s (seed %d)" % (count, what, SEED))
    sys.exit(1 if problems else 0)


# --- end of the kit ---
if not hasattr(sys, "getrefcount"):
    skip("no sys.getrefcount")
singletons = [None, True, False, Ellipsis, NotImplemented, 0, 1, 255, "", "a", (), b"", int, object]
SLACK = 2000  # a counted singleton is also used by the interpreter itself
kept, operations = [], []


def counts():
    return [sys.getrefcount(thing) for thing in singletons]


before = counts()
held = [[thing] * 10 for thing in singletons]
immortal = [after == count for after, count in zip(counts(), before)]  # ten references change nothing
del held
if FAULT == "changed":
    immortal, before = [True] + immortal[1:], [before[0] - 1] + before[1:]


def worker(number):
    def body():
        choose, count = below(number), 0
        while going():
            for thing in singletons:
                some = [thing] * (1 + choose(100))
                pair = {"it": (thing, thing)}
                if FAULT == "leak":
                    kept.extend(some)
                del some[choose(100) :]
                count += 1
            thing = some = pair = None
            check(counts(), "under load")
        operations.append(count)

    return body


def check(found, when):
    for place in range(len(singletons)):
        if immortal[place] and found[place] != before[place]:
            problem("M1: %s %r counts %d, counted %d" % (when, singletons[place], found[place], before[place]))


threads(worker(1), worker(2), worker(3))
gc.collect()
after = counts()
check(after, "at rest")
for place in range(len(singletons)):
    if not immortal[place] and abs(after[place] - before[place]) > SLACK:
        problem("M2: the count of %r went from %d to %d" % (singletons[place], before[place], after[place]))
finish(sum(operations), "turns on %d immortal and %d counted singletons" % (sum(immortal), len(immortal) - sum(immortal)))
