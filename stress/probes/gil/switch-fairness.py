# /// probe
# title = "threads that only compute hand the lock over: nobody is starved, and whoever was asked to drop it lets another run"
# properties = ["L1", "L2", "L4"]
# mutants = ["gil-no-forced-switch", "gil-switch-check-outside", "gil-lost-signal", "gil-unlocked-count"]
# needs = ["threading", "gil"]
# faults = ["starve", "lost"]
# ///
# Judged by counts, not by time: shares of the turns, once there were enough hand-overs.
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
WORKERS = 4
if hasattr(sys, "setswitchinterval"):
    sys.setswitchinterval(0.0005)
last, turns, switches = -1, [0] * WORKERS, [0] * WORKERS
counter, steps = [0], [0] * WORKERS


def worker(number):
    def body():
        global last
        while going():
            if FAULT == "starve" and number == 1 and turns[1] > 0:
                return
            if last != number:
                last = number
                switches[number] += 1
            turns[number] += 1
            for _ in range(50):
                counter[0] += 1  # several steps: may lose some, and says nothing
            steps[number] += 1

    return body


def asleep():
    """A waiter of another kind: its wake-up must not get lost."""
    while going():
        time.sleep(0.001)
        woken.append(1)


woken = []
threads(asleep, *[worker(number) for number in range(WORKERS)])
if FAULT == "lost":
    woken.clear()
handovers = sum(switches)
if handovers > 20 * WORKERS:
    for number in range(WORKERS):
        if turns[number] * 100 * WORKERS < sum(turns):
            problem("L2: thread %d had %d of %d turns in %d hand-overs" % (number, turns[number], sum(turns), handovers))
    if not woken:
        problem("L4: a sleeping thread never came back in %d hand-overs" % handovers)
    finish(handovers, "hand-overs, shares %s" % " ".join(str(turn) for turn in turns))
finish(0, "hand-overs: too few to judge (%d)" % handovers)
