# /// probe
# title = "dict reads beside growth, deletion, clear and replacement: a value read is alive and belongs to its key"
# properties = ["G1", "G3"]
# mutants = ["arc-borrowed-get", "arc-incr-after-unlock"]
# needs = ["threading", "shared-containers"]
# faults = ["foreign", "leak", "lost"]
# ///
# No model of a dict is in the catalogue: these are a strong getter's properties.
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


class Value:
    def __init__(self, key, number):
        self.key, self.number, self.dead = key, number, False

    def __del__(self):
        self.dead = True
        died.append(self.number)


def name(n):
    """Strings are compared at once; tuples by code that a VM may run outside its locks."""
    return "k%d" % n if n % 2 else ("k", n)


table = {"always": Value("always", 0)}


def writer(number):
    def body():
        choose, made = below(number), 0
        while going() and made < 250_000:
            width = (8, 100)[choose(2)]  # few keys again and again; or across several sizes of the table
            for _ in range(choose(60)):
                key = name(choose(width))
                if width == 8:
                    table.pop(name(choose(8)), None)
                value = Value("wrong" if FAULT == "foreign" else key, number * 1_000_000 + made)
                table[key] = value
                if FAULT == "leak":
                    kept.append(value)
                made += 1
            value = None
            how = choose(4)
            if how == 0:
                table["always"] = Value("always", number * 1_000_000 + made)
                made += 1
            elif how == 1:
                for key in list(table):
                    if key != "always":
                        table.pop(key, None)
            elif how == 2:
                table.pop(name(choose(100)), None)
            else:
                table.update({name(i): None for i in range(choose(100))})
            if FAULT == "lost":
                table.pop("always", None)
        counts.append(made)

    return body


def right(key, value):
    if value is not None and (value.key != key or value.dead):
        problem("G1: under %r there was %r, dead: %r" % (key, value.key, value.dead))


def reader(number):
    def body():
        choose, count = below(20 + number), 0
        while going():
            key = name(choose((8, 100)[choose(2)]))
            right(key, table.get(key))
            if key in table:
                try:
                    right(key, table[key])
                except KeyError:
                    pass
            try:
                right("always", table["always"])
            except KeyError:
                problem("G1: a key that was never removed is absent")
            count += 3
            if choose(20) == 0:
                try:
                    for key, value in table.items():
                        right(key, value)
                        count += 1
                except RuntimeError:  # its size changed: allowed
                    pass
            value = None
        reads.append(count)

    return body


threads(writer(1), writer(2), reader(1), reader(2))
table.clear()
freed_once(died, 1 + sum(counts))
finish(sum(reads), "reads beside %d writes" % sum(counts))
