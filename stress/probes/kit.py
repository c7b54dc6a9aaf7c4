# --- kit: the beginning of every probe ---
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


print("begun")
getattr(sys.stdout, "flush", int)()
# --- end of the kit ---
