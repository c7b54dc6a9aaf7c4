# /// probe
# title = "the last reference to a weak reference goes inside its target's clearing: its attributes' destructors may use weak references"
# properties = ["W8"]
# mutants = ["wr-callback-under-lock"]
# also = { weakref-biased = ["W8"] }
# needs = ["threading", "weakref"]
# faults = ["missing"]
# ///
# A destructor that runs inside the lock waits for itself: this program then hangs.
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

TARGETS, REFS = 6, 6
others = []  # enough objects to meet every stripe of the weak references' locks
rounds, released = 0, []


class Target:
    pass


class Noisy:
    def __del__(self):
        for other in others[:: 1 + rounds % 9]:
            weakref.ref(other)()
        released.append(1)


class Ref(weakref.ref):
    pass


others = [Target() for _ in range(256)]
while going() and rounds < 20_000:
    targets, refs, ready = [Target() for _ in range(TARGETS)], [], []
    for target in targets:
        for _ in range(REFS):
            ref = Ref(target)
            ref.noisy = Noisy()
            refs.append(ref)
    del ref, target
    released.clear()

    def meet():
        ready.append(1)
        while len(ready) < 2 and now() < END + 5:
            pass

    def drop_target():
        meet()
        while targets:
            targets.pop()

    def drop_refs():
        meet()
        for _ in range(rounds * 7 % 80):
            pass
        while refs:
            refs.pop()

    if FAULT == "missing":
        others.append(refs[0])
        others[-1] = refs[0].noisy
    threads(drop_target, drop_refs)
    if not settle(lambda: len(released) >= TARGETS * REFS):
        problem("W8: %d of %d destructors ran" % (len(released), TARGETS * REFS))
    rounds += 1
finish(rounds * TARGETS, "targets cleared beside the last drops of their weak references")
