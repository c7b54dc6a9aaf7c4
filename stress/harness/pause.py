# A wait in the middle of an operation: Python code that an operation calls back calls `PAUSE()`, and the first that
# comes there stays until the other threads have run all of theirs. An operation that holds a lock of the VM's
# meanwhile, which one of theirs needs, makes all of them wait for ever.
try:
    import _thread as _threads
except ImportError:
    import thread as _threads


class _Pause(object):
    """Does nothing until it is armed for a race."""

    def __init__(self):
        self.gate = None
        self.join = lambda fn, *args: fn(*args)  # how a thread takes part in the scenario's company

    def __call__(self):
        gate = self.gate
        if gate is not None and gate.acquire(False):
            self.inside.release()
            for lock in self.through:
                lock.acquire()

    def race(self, bodies, o, first):
        """Each thread runs its operations on `o`: `first` at once, the others when it has come to a pause or is
        through."""
        locks = [[_held(), _held()] for _ in bodies[1:]]
        self.through = [lock for lock, _ in locks]
        self.inside, ended = _held(), _held()
        gate = self.gate = _threads.allocate_lock()

        def leader():
            try:
                self.join(_run, bodies[first], o)
            finally:
                if gate.acquire(False):  # it came to no pause
                    self.inside.release()
                ended.release()

        def follower(t, through, end):
            self.inside.acquire()
            self.inside.release()
            try:
                self.join(_run, bodies[t], o)
            finally:
                through.release()
                end.release()

        _threads.start_new_thread(leader, ())
        others = [t for t in range(len(bodies)) if t != first]
        for t, (through, end) in zip(others, locks):
            _threads.start_new_thread(follower, (t, through, end))
        ended.acquire()
        for _, end in locks:
            end.acquire()
        self.gate = None


def _held():
    lock = _threads.allocate_lock()
    lock.acquire()
    return lock


def _run(bodies, o):
    for body in bodies:
        try:
            body(o)
        except BaseException:
            pass


PAUSE = _Pause()
