# /// probe
# title = "callbacks of many weak references, targets dropped by several threads: each once, all siblings dead before the first"
# properties = ["W4", "W6", "W8"]
# mutants = ["wr-callback-early", "wr-callback-under-lock"]
# also = { weakref-atomic = ["W4", "W6", "W8"] }
# needs = ["threading", "weakref"]
# faults = ["missing", "twice", "alive"]
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

TARGETS, REFS = 40, 4
expected, total, called, kept = 0, 0, [], []


class Target:
    pass


while going():
    targets = [[Target() for _ in range(TARGETS)]]
    refs = [[] for _ in range(TARGETS)]
    base = expected

    def callback(number, place):
        def body(ref):
            called.append(number)
            if FAULT == "twice":
                called.append(number)
            if ref() is not None or FAULT == "alive":
                problem("W4: a callback's own reference is alive")
            for sibling in refs[place]:
                if sibling() is not None:
                    problem("W4: a sibling is alive when a callback runs")
            weakref.ref(body)()  # a callback may make and use weak references

        return body

    def creator(number):
        """Other threads make the references, too."""
        def body():
            for place in range(TARGETS):
                for one in range(REFS // 2):
                    key = base + place * REFS + number * (REFS // 2) + one
                    refs[place].append(weakref.ref(targets[0][place], callback(key, place)))

        return body

    threads(creator(0), creator(1))
    if FAULT == "missing":
        kept.append(targets[0][0])
    parts = [targets[0][part::3] for part in range(3)]
    targets.clear()

    def dropper(part):
        def body():
            while parts[part]:
                parts[part].pop()

        return body

    threads(dropper(0), dropper(1), dropper(2))
    expected += TARGETS * REFS
    total += TARGETS * REFS
    if not settle(lambda: len(called) >= expected):
        problem("W6: %d of %d callbacks ran" % (len(called), expected))
    if len(set(called)) != len(called):
        problem("W6: a callback ran twice")
    if expected % 20_000 == 0:
        called, expected = [], 0
        gc.collect()
finish(total, "callbacks, %d targets at a time" % TARGETS)
