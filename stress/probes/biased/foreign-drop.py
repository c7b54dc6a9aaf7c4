# /// probe
# title = "objects made by one thread and dropped by another: whole while held, each freed once, all freed at rest"
# properties = ["B1", "B2", "B7"]
# mutants = ["brc-queue-no-ref", "brc-requeue", "brc-merge-ignores-shared", "brc-fastpath-ignores-flags", "brc-logical-shift", "brc-clear-late", "brc-tid-after-merge"]
# also = { atomic = ["R1", "R2", "R3"] }
# needs = ["threading"]
# faults = ["leak", "twice", "early"]
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
died, mail, counts, kept = [], [], [], []


class Thing:
    def __init__(self, key):
        self.key, self.dead = key, False

    def __del__(self):
        self.dead = True
        died.append(self.key)


def owner(number):
    def body():
        choose, made = below(number), 0
        while going() and made < 100_000:
            batch = [Thing(number * 1_000_000 + made + i) for i in range(1 + choose(40))]
            made += len(batch)
            mail.append(batch)
            how = choose(4)
            if how == 0:  # detached: nothing of its queue can be handled
                time.sleep(0.0005)
            elif how == 1:  # its own reference goes before the others'
                batch = None
            elif how == 2:  # safe points all the time
                for _ in range(choose(300)):
                    pass
            while len(mail) > 50 and going():
                time.sleep(0)
        counts.append(made)

    return body


def dropper():
    while going():
        try:
            batch = mail.pop()
            while True:
                thing = batch.pop()
                if FAULT == "early":
                    thing.dead = True
                if thing.dead:
                    problem("B2: finalized while held")
                if FAULT == "leak":
                    kept.append(thing)
                if FAULT == "twice":
                    thing.__del__()
        except IndexError:
            time.sleep(0)


threads(owner(1), owner(2), dropper, dropper)
mail.clear()
freed_once(died, sum(counts))
finish(len(died), "objects dropped by another thread than their maker's")
