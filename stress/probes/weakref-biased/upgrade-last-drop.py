# /// probe
# title = "weak references upgraded beside the last drop: a whole object or None, and None for ever after the callback"
# properties = ["W1", "W2", "W3"]
# mutants = ["wr-plain-incref", "wr-test-then-incref", "wr-no-recheck", "wr-lock-via-target", "wr-no-maybe-flag"]
# also = { weakref-atomic = ["W1", "W2", "W3"], biased = ["B6"] }
# needs = ["threading", "weakref"]
# faults = ["torn", "revived", "refused"]
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
import weakref

MOST = 100_000
upgrades, dead_seen, kept = [], [], []


class Target:
    def __init__(self, key):
        self.key, self.check = key, ~key


class Stranger:
    """As large as a target, made right after each death."""

    def __init__(self):
        self.key = self.check = 0


slot = [(0, weakref.ref(Target(0)), [1])]  # key, reference, what its callback appends to
made = 0


def writer():
    global made
    choose = below(1)
    while going() and made < MOST:
        made += 1
        target = Target(made)
        if FAULT == "torn" and made > 100:
            target.check = 5
        if FAULT == "revived":
            kept.append(target)
        announced = []
        slot[0] = (made, weakref.ref(target, lambda ref, announced=announced: announced.append(1)), announced)
        for _ in range(choose(100)):
            pass
        found = slot[0][1]()
        if found is not target or FAULT == "refused":
            problem("W3: an object that is held was refused")
        del target, found
        strangers = [Stranger(), Stranger()]
        if FAULT == "revived":
            announced.append(1)


def reader():
    got = none = 0
    while going():
        key, ref, announced = slot[0]
        was_gone = bool(announced)
        target = ref()
        if target is None:
            none += 1
            if ref() is not None:
                problem("W2: None, and then an object")
            continue
        got += 1
        if was_gone:
            problem("W2: target %d upgraded after its callback had run" % key)
        if type(target) is not Target or target.check != ~target.key or target.key != key:
            problem("W1: upgraded to something else than target %d: %s" % (key, type(target).__name__))
        del target
    upgrades.append(got)
    dead_seen.append(none)


threads(writer, reader, reader, reader)
finish(sum(upgrades) and sum(upgrades) + sum(dead_seen), "upgrades, %d of them None, beside %d last drops" % (sum(dead_seen), made))
