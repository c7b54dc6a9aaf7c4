# /// probe
# title = "list items, attributes, cells and globals read while they are replaced: what is read is alive, what is replaced is freed once"
# properties = ["G1", "G3"]
# mutants = ["arc-borrowed-get", "arc-incr-after-unlock"]
# needs = ["threading"]
# faults = ["dead", "leak", "twice"]
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
died, counts, kept = [], [], []


class Thing:
    def __init__(self, key):
        self.key, self.check, self.dead = key, ~key, False

    def __del__(self):
        self.dead = True
        died.append(self.key)


class Box:
    pass


box, items = Box(), [None] * 4
cell = current = None


def cells():
    cell = Thing(0)

    def put(thing):
        nonlocal cell
        cell = thing

    return put, lambda: cell


put, get = cells()
box.thing = current = Thing(1)
items[:] = [Thing(key) for key in range(2, 6)]


def writer(number):
    def body():
        global current
        choose, made = below(number), 0
        while going() and made < 100_000:
            thing = Thing(number * 1_000_000 + made)
            made += 1
            where = choose(4)
            if where == 0:
                items[choose(4)] = thing
            elif where == 1:
                box.thing = thing
            elif where == 2:
                put(thing)
            else:
                current = thing
            if FAULT == "leak":
                kept.append(thing)
            if FAULT == "twice":
                thing.__del__()
            if FAULT == "dead":
                thing.dead = True
        counts.append(made)

    return body


reads = []


def reader(number):
    def body():
        choose, count = below(10 + number), 0
        while going():
            for thing in (items[choose(4)], box.thing, get(), current):
                if thing.dead or thing.check != ~thing.key:
                    problem("G1: what was read is not alive")
            thing = None
            count += 4
        reads.append(count)

    return body


threads(writer(1), writer(2), reader(1), reader(2))
items.clear()
put(None)
box.thing = current = None
freed_once(died, 6 + sum(counts))
finish(sum(reads), "reads beside %d replacements" % sum(counts))
