# --- kit: the beginning of every program ---
import sys
import time
import _thread

try:
    from os import _exit as leave
except ImportError:  # MicroPython
    leave = None
try:
    from threading import Thread
except ImportError:  # MicroPython
    Thread = None

# python FILE [SECONDS [FAULT]]; a fault is planted so that the program's own check must report it.
now = getattr(time, "monotonic", time.time)
END = now() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
FAULT = sys.argv[2] if len(sys.argv) > 2 else ""
KIT_LOCK = _thread.allocate_lock()
kit_hits = []
kit_work = {}  # name of a body: times it came through, times it raised, what it raised first
GIL = sys.implementation.name in ("cpython", "pypy") and getattr(sys, "_is_gil_enabled", lambda: True)()


def hit(what):
    """Says what was seen and ends the process at once, or where it cannot, as soon as all threads have ended."""
    if leave:
        print("hit: %s" % (what,), flush=True)
        leave(1)
    with KIT_LOCK:
        if not kit_hits:
            print("hit: %s" % (what,))
        kit_hits.append(what)
    raise SystemExit(1)


def skip(why):
    print("skip: %s" % (why,))
    sys.exit(77)


def need(owner, name):
    """Skips where `owner` has no such attribute."""
    if not hasattr(owner, name):
        skip("this VM has no %s" % name)


def many(count):
    """So many steps, or a few with a GIL, where each takes a switch of threads."""
    return min(count, 20) if GIL else count


def going():
    return now() < END and not kit_hits


def raises(error):
    """For a planted fault: what raises this when it is called, iterated or advanced."""

    class Raises:
        def __call__(self, *args):
            raise error

        __next__ = __call__

        def __iter__(self):
            return self

    return Raises()


def run(*bodies):
    """Runs every body on a thread of its own until all have ended."""
    if Thread:
        started = [Thread(target=body) for body in bodies]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        return
    left = [len(bodies)]

    def one(body):
        try:
            body()
        finally:
            with KIT_LOCK:
                left[0] -= 1

    for body in bodies:
        _thread.start_new_thread(one, (body,))
    while left[0]:
        time.sleep(0.005)
    if kit_hits:
        sys.exit(1)


def kit_account(body, through, lost, first):
    name = getattr(body, "__name__", "a body")
    with KIT_LOCK:
        before = kit_work.get(name, (0, 0, first))
        kit_work[name] = (before[0] + through, before[1] + lost, before[2] or first)


def kit_idle():
    """A race may raise anything. But a body that only met a name that is missing raced nothing: a fault of the program."""
    for name, (through, lost, first) in kit_work.items():
        if lost > 20 and not through and ("Error('No module" in first or "rror(\"module '" in first or "NameError" in first):
            sys.stderr.write("%s() never came through: %s\n" % (name, first))
            sys.exit(3)


def again(*bodies):
    """Runs every body on a thread of its own, at least once and until the deadline; what one raises is lost."""

    def repeating(body):
        def one():
            through, lost, first = 0, 0, ""
            while not through + lost or going():
                try:
                    body()
                    through += 1
                except Exception as error:
                    lost += 1
                    first = first or repr(error)
            kit_account(body, through, lost, first)

        return one

    run(*[repeating(body) for body in bodies])
    kit_idle()


def together(*bodies):
    """Runs every body once on a thread of its own; they begin at once, and what one raises is lost."""
    ready, count = [], len(bodies)

    def meeting(body):
        def one():
            ready.append(1)
            while GIL and len(ready) < count:
                time.sleep(0.0005)
            while len(ready) < count:
                pass
            try:
                body()
            except Exception as error:
                kit_account(body, 0, 1, repr(error))
            else:
                kit_account(body, 1, 0, "")

        return one

    run(*[meeting(body) for body in bodies])


def in_step(count, step):
    """Two threads do step(0), step(1), … each at the same time, until all are done or the deadline is past; returns
    the pairs of what they got."""
    got, at, turns = ([], []), [0, 0], [1, 0]

    def one():
        me = turns.pop()
        try:
            for i in range(count):
                at[me] = i
                while at[1 - me] < i:
                    pass
                got[me].append(step(i))
                if now() > END:  # on a busy machine a step may take a slice of time
                    break
        finally:
            at[me] = count

    together(one, one)
    return list(zip(*got))


def rounds(turn):
    """Calls `turn` at least once and until the deadline."""
    turn()
    while going():
        turn()
    kit_idle()


def forked(trial):
    """Calls `trial` in one forked child after the other: what is raced is the first use in a process.

    This process ends as the first child that does not end well.
    """
    import os

    def turn():
        child = os.fork()
        if child == 0:
            trial()
            leave(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            try:  # the child's core is the one that tells
                import resource

                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            except (ImportError, ValueError):
                pass
            os.kill(os.getpid(), os.WTERMSIG(status))
        if status:
            leave(1)

    rounds(turn)


def children(program, must_end=True):
    """Runs `program` in one new interpreter after the other: what is raced is the end of a process."""
    import os
    import signal
    import subprocess

    # Signals that a process dies of by its own fault.
    OF_ITS_OWN = [getattr(signal, "SIG" + name) for name in ("SEGV", "BUS", "ABRT", "ILL", "FPE", "TRAP", "SYS")]
    # Enough for a busy machine, and within what a run is given past its deadline before it counts as hung itself.
    patience, grace = 8, 1
    if FAULT == "signal":
        program += "\nimport os, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nos.abort()\n"
    if FAULT == "endless":
        program, patience = program + "\nimport time\ntime.sleep(600)\n", 1

    def turn():
        left = END + grace - now()
        try:
            code = subprocess.run([sys.executable, "-c", program], timeout=min(left, patience), stderr=subprocess.DEVNULL).returncode
        except subprocess.TimeoutExpired:
            if must_end and left >= patience:
                hit("the process did not end in %d s" % patience)
            return
        if 128 < code < 160:  # what a launcher that waits for its interpreter leaves with
            code = 128 - code
        if -code in OF_ITS_OWN:
            hit("the process died of signal %d" % -code)
        if code < 0:  # somebody sent it, to this process as much as to its child
            os.kill(os.getpid(), -code)

    rounds(turn)


def peak_memory():
    """The most memory that this process had so far, KiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# --- end of the kit ---
