# /// probe
# title = "collections beside foreign drops of blocks that one thread made and another reused: each freed once"
# properties = ["B1", "B5"]
# mutants = ["brc-stale-tid"]
# needs = ["threading"]
# faults = ["leak", "twice"]
# ///
# A stopped world gives an object to the thread whose segment its block lies in. Free lists carry
# blocks between threads: S makes lists, T frees them into its free list and makes its own of them;
# F drops T's while collections move the owner between F's look at it and F's place in T's queue.
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
died, from_s, from_t, kept, counts = [], [], [], [], []


class Thing:
    def __init__(self, key):
        self.key = key

    def __del__(self):
        died.append(self.key)


def maker():  # S
    while going():
        if len(from_s) < 200:
            from_s.append([[] for _ in range(60)])
        else:
            time.sleep(0)


def reuser():  # T
    made = 0
    while going() and made < 120_000:
        try:
            from_s.pop().clear()
        except IndexError:
            pass
        batch = [[Thing(made + i)] for i in range(40)]
        made += 40
        from_t.append(batch)
        del batch
        while len(from_t) > 50 and going():
            time.sleep(0)
    counts.append(made)


def dropper():  # F
    while going():
        try:
            batch = from_t.pop()
        except IndexError:
            time.sleep(0)
            continue
        while batch:
            item = batch.pop()
            if FAULT == "leak":
                kept.append(item)
            if FAULT == "twice":
                item[0].__del__()


def collector():
    global collections
    while going():
        gc.collect()
        collections += 1


collections = 0
threads(maker, reuser, dropper, dropper, collector)
from_t.clear()
freed_once(died, sum(counts))
finish(collections and len(died), "objects dropped beside %d collections" % collections)
