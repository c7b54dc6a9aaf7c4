# /// probe
# title = "counts of types, functions and code after threads that made instances and calls have ended"
# properties = ["D3", "D6"]
# mutants = ["def-exit-lost-slot", "def-small-surplus", "def-id-reuse-dirty", "def-no-surplus-removal"]
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
import weakref

if not hasattr(sys, "getrefcount"):
    skip("no sys.getrefcount")
kept, rounds, instances, immortal = [], 0, 0, 0


def program():
    space = {}
    exec("class Temp:\n    def method(self):\n        return self\n\ndef call(x):\n    return x\n", space)
    return space["Temp"], space["call"]


def counts(things):
    return [sys.getrefcount(things[place]) for place in range(len(things))]


def one_round():
    global instances, immortal
    Temp, call = program()
    things = [Temp, Temp.method, call, call.__code__]
    passed = []
    threads(lambda: None)  # a second thread exists from now on
    if FAULT == "lost":
        kept.append(Temp)
    call(Temp().method())  # what the first use or making them leaves behind is no fault
    gc.collect()
    before = counts(things)

    def maker():  # counts up in its own slot, and ends
        for _ in range(200):
            passed.append(call(Temp().method()))

    def dropper():  # counts down in its own
        for _ in range(200):
            try:
                passed.pop()
            except IndexError:
                pass
            call(1)

    threads(maker, maker, dropper, dropper)
    passed.clear()
    if FAULT == "leak":
        kept.append(Temp())
    if FAULT == "lost":
        kept.clear()
    gc.collect()
    after = counts(things)
    for place in range(len(things)):
        if after[place] != before[place]:
            problem("D3: the count of %r went from %d to %d" % (things[place], before[place], after[place]))
    instances += 400
    immortal += before[0] >= 1 << 29
    alive = weakref.ref(Temp)
    return alive, before[0] >= 1 << 29


while going():
    alive, for_ever = one_round()
    if not for_ever and not settle(lambda: alive() is None):
        problem("D6: a dropped class is alive after collections")
    rounds += 1
finish(instances, "instances in %d rounds, %d with immortal types" % (rounds, immortal))
