# /// probe
# title = "a list's __del__ publishes it and another thread reads it for the first time: no mark is lost, __del__ runs once"
# properties = ["F1"]
# mutants = ["fin-bit-lost"]
# also = { weakref-atomic = ["F1"] }
# needs = ["threading", "shared-containers"]
# faults = ["twice"]
# ///
# The finalized mark and the shared mark are bits of one byte, set by two threads at that moment.
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
finalized, slot, made, reads = [], [None], 0, []


class Phoenix(list):
    def __del__(self):
        finalized.append(self.key)
        slot[0] = self
        for _ in range(self.key % 24):  # the reader comes sooner or later in here, or just after
            pass
        if FAULT == "twice" and self.key == 200:
            finalized.append(self.key)


def maker():
    global made
    while going() and made < 500_000:
        it = Phoenix((1, 2, 3))
        it.key = made
        made += 1
        del it  # __del__ publishes it; the next one's takes its place, and it dies


def reader():
    count = 0
    while going():
        found = slot[0]
        if found is not None:
            count += 1
            if found[1] != 2:
                problem("F1: read %r" % found[1])
        found = None
    reads.append(count)


threads(maker, reader, reader)
slot[0] = None
settle(lambda: len(finalized) >= made)
if len(finalized) != len(set(finalized)):
    problem("F1: __del__ ran twice for %d objects" % (len(finalized) - len(set(finalized))))
elif len(finalized) != made:
    problem("F1: __del__ ran for %d of %d objects" % (len(finalized), made))
finish(made, "lists resurrected beside %d first reads" % sum(reads))
