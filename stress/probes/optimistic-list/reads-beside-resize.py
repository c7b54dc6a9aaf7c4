# /// probe
# title = "list reads beside append, insert, pop, clear, slices and resize: every item read was put there, and is alive"
# properties = ["L1", "L2", "L3"]
# mutants = ["vc-plain-incref", "vc-skip-slot", "vc-skip-version", "vc-single-bump", "or-size-as-bound", "or-free-array-now"]
# also = { marked-list = ["R1", "R2", "R3"] }
# needs = ["threading", "shared-containers"]
# faults = ["stranger", "dead", "leak"]
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
died, counts, kept, reads = [], [], [], []


class Item:
    def __init__(self, key):
        self.key, self.check, self.dead = key, ~key, False

    def __del__(self):
        self.dead = True
        died.append(self.key)


class Stranger:
    """As large as an item, and never in the list."""

    def __init__(self):
        self.key, self.check, self.dead = 0, 0, False


shared = [Item(0)]


def writer(number):
    def body():
        choose, made = below(number), 0
        while going() and made < 80_000:
            for _ in range(choose(70)):
                item = Item(number * 1_000_000 + made)
                made += 1
                if FAULT == "leak":
                    kept.append(item)
                if FAULT == "dead":
                    item.dead = True
                if choose(8):
                    shared.append(item)
                else:
                    shared.insert(0, item)
            item = None
            if FAULT == "stranger":
                shared.append(Stranger())
            how = choose(5)
            try:
                if how == 0:
                    shared.clear()
                elif how == 1:
                    while True:
                        shared.pop()
                        strangers = [Stranger(), Stranger()]
                elif how == 2:
                    del shared[choose(10) :]
                elif how == 3:
                    shared[:] = shared[choose(8) :]
                else:
                    shared.reverse()
            except IndexError:
                pass
            if len(shared) > 2000:
                shared.clear()
        counts.append(made)

    return body


def right(item):
    if type(item) is not Item:
        problem("L1: read what was never in the list: %s" % type(item).__name__)
    elif item.dead or item.check != ~item.key:
        problem("L2: read an item that is not alive: %r" % item.key)


def reader(number):
    def body():
        choose, count = below(30 + number), 0
        while going():
            try:
                for _ in range(20):
                    right(shared[choose(40)])
                    right(shared[-1])
                    count += 2
            except IndexError:
                pass
            if choose(10) == 0:
                for item in shared:
                    right(item)
                    count += 1
                    if count % 64 == 0 and not going():
                        break
                for item in shared[: choose(50)]:
                    right(item)
                    count += 1
                item = None
        reads.append(count)

    return body


threads(writer(1), writer(2), reader(1), reader(2))
shared.clear()
freed_once(died, 1 + sum(counts))
finish(sum(reads), "reads beside %d insertions" % sum(counts))
