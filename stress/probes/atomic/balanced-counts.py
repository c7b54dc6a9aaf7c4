# /// probe
# title = "threads take and drop references to shared objects in pairs: at rest every count is what it was"
# properties = ["R2", "R3"]
# mutants = ["arc-plain-count", "arc-wrap"]
# also = { biased = ["B1", "B2"] }
# needs = ["threading"]
# faults = ["leak", "lost"]
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


class Thing:
    dead = False

    def __del__(self):
        self.dead = True


kept, operations, rounds = [], 0, 0


def foreign(things):
    """Objects of a thread that has ended."""
    return lambda: things.extend([Thing() for _ in range(8)])


while going():
    shared = [Thing() for _ in range(8)]
    threads(foreign(shared))
    if FAULT == "lost":
        kept = [shared[0]]
    gc.collect()  # what making them left behind
    before = [sys.getrefcount(shared[i]) for i in range(len(shared))]

    def user(number):
        choose = below(number + 10 * rounds)

        def body():
            global operations
            until = min(END, now() + 0.1)
            count = 0
            while now() < until:
                for _ in range(20):
                    thing = shared[choose(16)]
                    some = [thing] * (1 + choose(30))
                    pair = (thing, {"it": thing}, lambda: thing)
                    some.append(pair)
                    del some[choose(len(some)) :]
                    count += 1
                    if thing.dead:
                        problem("R2: finalized while held")
                del thing, some, pair
            operations += count

        return body

    threads(user(1), user(2), user(3))
    if FAULT == "leak":
        kept.append(shared[3])
    if FAULT == "lost":
        kept.clear()
    gc.collect()
    after = [sys.getrefcount(shared[i]) for i in range(len(shared))]
    for i in range(len(shared)):
        if before[i] != after[i]:
            problem("R3: the count of object %d went from %d to %d" % (i, before[i], after[i]))
    rounds += 1
finish(operations, "balanced turns in %d rounds" % rounds)
