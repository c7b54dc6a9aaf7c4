# /// probe
# title = "arrays and tables retired beside readers that reach safe points are given back: memory stays within a bound"
# properties = ["Q5", "Q6"]
# mutants = ["qsbr-quiesce-mid-read", "qsbr-unsigned-compare", "qsbr-old-goal"]
# faults = ["hold"]
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
# A reader that waits for a processor holds all that is retired meanwhile: peaks above 33 MiB were seen.
LIMIT = 96 << 20
WORDS = 4000
block = [None] * WORDS


def used():
    if hasattr(gc, "mem_alloc"):
        gc.collect()
        return gc.mem_alloc()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


try:
    start = used()
except OSError:
    skip("no /proc/self/statm to read the memory in use from")

PRIVATE = Thread is None  # MicroPython without its lock promises nothing about a shared list
LOOK = 1024 if PRIVATE else 64  # there a look costs a collection
shared, table, kept, retired = [0] * 10, {}, [], 0
row = {n: None for n in range(200)}


def writer():
    global retired, start
    turn = 0
    while going():
        mine = [] if PRIVATE else shared
        mine.extend(block)
        if FAULT == "hold" and len(kept) < 8000:
            kept.append(list(mine))
        mine.clear()
        if turn % 8 == 0:
            table.update(row)
            table.clear()
        retired += WORDS * 8
        turn += 1
        if turn % LOOK == 0:
            if turn <= 1024 // (1 if PRIVATE else 4):
                start = used()
            elif used() - start > LIMIT:
                problem("Q6: %d MiB more in use after %d MiB were retired" % ((used() - start) >> 20, retired >> 20))


def reader():
    while going():
        for _ in range(100):
            try:
                if not PRIVATE:
                    shared[50]
            except IndexError:
                pass
            table.get(7) if not PRIVATE else None
        time.sleep(0)  # or the list's lock is theirs most of the time


threads(writer, reader, reader)
finish(retired >> 20 if retired > 2 * LIMIT else 0, "MiB retired, at most %d MiB held" % (LIMIT >> 20))
