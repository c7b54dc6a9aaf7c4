# /// probe
# title = "objects handed from thread to thread through slots, several holders at once: whole while held, freed once"
# properties = ["B1", "B2", "B6"]
# mutants = ["brc-queue-no-ref", "brc-requeue", "brc-try-zero", "brc-try-dead", "brc-flag-store"]
# also = { atomic = ["R1", "R2"] }
# faults = ["torn", "leak"]
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
SLOTS, MOST = 8, 60_000
counts, died, kept = [], [], []
HAS_DEL = Thread is not None  # MicroPython collects, and calls no __del__ of Python classes


class Thing:
    def __init__(self, key):
        self.key, self.check, self.dead = key, ~key, False

    def __del__(self):
        self.dead = True
        died.append(self.key)


slots = [Thing(key) for key in range(SLOTS)]


def swap(place, thing):
    """Without a promise about shared containers the exchange is the user's to protect."""
    if HAS_DEL:
        old = slots[place]
        slots[place] = thing
        return old
    with LOCK:
        old = slots[place]
        slots[place] = thing
        return old


def runner(number):
    def body():
        choose, made, turns = below(number), 0, 0
        mine = None
        while going():
            turns += 1
            if mine is None and made < MOST:
                mine = Thing(number * 1_000_000 + made)
                made += 1
            if mine is None:
                break
            if FAULT == "torn" and turns == 100:
                mine.check = 0
            if FAULT == "leak":
                kept.append(mine)
            mine = swap(choose(SLOTS), mine)
            if mine.check != ~mine.key or mine.dead:
                problem("B2: an object that is held is not whole: %r %r" % (mine.key, mine.dead))
            if choose(3) == 0:
                mine = None
        counts.append((made, turns))

    return body


threads(*[runner(number) for number in range(1, 5)])
turns = sum(count[1] for count in counts)
if HAS_DEL:
    slots.clear()
    freed_once(died, SLOTS + sum(count[0] for count in counts))
finish(turns, "hand-overs")
