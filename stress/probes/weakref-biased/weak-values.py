# /// probe
# title = "WeakValueDictionary beside deaths: a fresh value stays under its key, a dead one does not stay for ever"
# properties = ["W2", "W4"]
# mutants = ["wr-callback-early"]
# also = { weakref-atomic = ["W2", "W4"] }
# needs = ["threading", "weakref", "shared-containers"]
# faults = ["removed", "kept"]
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

KEYS = 6
table, dying, reads, writes, kept = weakref.WeakValueDictionary(), [], [], [], []


class Value:
    def __init__(self, key):
        self.key = key


def writer(number):
    def body():
        choose, count = below(number), 0
        value = None
        while going():
            key = (number, choose(KEYS))
            old = Value(key)
            table[key] = old
            dying.append(old)  # its last reference goes on another thread
            del old
            value = Value(key)
            table[key] = value
            if FAULT == "removed":
                table.pop(key, None)
            if FAULT == "kept":
                kept.append(value)
            for _ in range(choose(60)):
                pass
            if table.get(key) is not value:
                problem("C1: a value that is held was removed from under its key")
            count += 1
        writes.append(count)

    return body


def dropper():
    while going():
        try:
            dying.pop()
        except IndexError:
            pass


def reader():
    count = 0
    while going():
        for number in (1, 2):
            for place in range(KEYS):
                value = table.get((number, place))
                if value is not None and value.key != (number, place):
                    problem("W2, or the dict below: under %r there was the value of %r" % ((number, place), value.key))
                count += 1
        value = None
        try:
            for value in table.values():
                count += 1
        except RuntimeError:  # its size changed: allowed
            pass
        value = None
    reads.append(count)


threads(writer(1), writer(2), dropper, reader)
dying.clear()
if not settle(lambda: len(table) == 0):
    problem("C2: %d dead entries stay" % len(table))
finish(sum(writes), "replacements beside %d reads" % sum(reads))
