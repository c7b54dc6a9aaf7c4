# /// probe
# title = "__del__ hands its object to other threads, which drop it at once: __del__ exactly once, freed exactly once"
# properties = ["F1", "F2"]
# mutants = ["fin-end-plain", "fin-bit-after-release", "fin-bit-lost"]
# also = { weakref-atomic = ["F1", "F2"], biased = ["B2"] }
# needs = ["threading"]
# faults = ["twice", "leak", "torn"]
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
finalized, freed, saved, kept, counts = [], [], [], [], []


class Token:
    """Dies with the object that holds it."""

    def __init__(self, key):
        self.key = key

    def __del__(self):
        freed.append(self.key)


class Phoenix:
    def __init__(self, key):
        self.key, self.token = key, Token(key)

    def __del__(self):
        finalized.append(self.key)
        if FAULT == "leak":
            kept.append(self)
        saved.append(self)
        if FAULT == "twice" and len(finalized) < 50:
            finalized.append(self.key)


def maker(number):
    def body():
        choose, made = below(number), 0
        while going() and made < 40_000:
            batch = [Phoenix(number * 1_000_000 + made + n) for n in range(1 + choose(20))]
            made += len(batch)
            if choose(2):
                saved.append(batch)  # dropped elsewhere
            del batch
            while len(saved) > 500 and going():
                time.sleep(0)
        counts.append(made)

    return body


def taker():
    while going():
        try:
            thing = saved.pop()
        except IndexError:
            continue
        if type(thing) is Phoenix and (thing.token.key != thing.key or FAULT == "torn"):
            problem("F2: resurrected without its contents")
        del thing


threads(maker(1), maker(2), taker, taker)
while saved:
    saved.pop()
made = sum(counts)
freed_once(freed, made)
if len(finalized) != len(set(finalized)):
    problem("F1: __del__ ran twice for %d objects" % (len(finalized) - len(set(finalized))))
elif len(finalized) != made and not problems:
    problem("F1: __del__ ran for %d of %d objects" % (len(finalized), made))
finish(made, "objects resurrected")
