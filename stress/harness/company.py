# The company of a scenario: what runs beside its threads and belongs to no operation, again and again in a thread of
# its own, and the modes that the VM is in meanwhile. What a VM lacks is left out.
try:
    import _thread as _threads
except ImportError:
    import thread as _threads


def _nothing(*args):
    return None


def _try(fn):
    """Calls what a VM may lack: company that fails is no failure of the scenario's."""
    try:
        fn()
    except Exception:
        pass


def _trace(frame, event, arg):
    return _trace


class _Dropped(object):
    def __del__(self):
        self.me = None


def _collector():
    gc.collect()


def _stopped_worlds():
    sys._current_frames()
    gc.freeze()
    gc.unfreeze()


def _thread_starts():
    over = _threads.allocate_lock()
    over.acquire()
    _threads.start_new_thread(over.release, ())
    over.acquire()


def _toggles(name, hook):
    """A hook of all threads set and taken away."""
    import threading
    toggle = getattr(threading, name)

    def act():
        toggle(hook)
        toggle(None)
    return act


def _trace_toggles():
    return _toggles("settrace_all_threads", _trace)


def _profile_toggles():
    return _toggles("setprofile_all_threads", _nothing)


_TOOL = 4  # one that no tool of the standard library claims


def _monitored():
    if getattr(sys.implementation, "name", "") == "rustpython":
        # 0.5.0 takes other operands than a running loop's once events are on, in one thread.
        raise NotImplementedError("sys.monitoring")
    events = sys.monitoring.events
    return events.PY_START | events.CALL | events.LINE


def _monitoring_toggles():
    tools = sys.monitoring
    _monitored()
    tools.use_tool_id(_TOOL, "threadbare")
    for event in (tools.events.PY_START, tools.events.CALL, tools.events.LINE):
        tools.register_callback(_TOOL, event, _nothing)

    def act():
        tools.set_events(_TOOL, _monitored())
        tools.set_events(_TOOL, 0)
    act.end = lambda: tools.free_tool_id(_TOOL)
    return act


def _weak_references():
    import weakref

    def act():
        for _ in range(20):
            one = _Dropped()
            one.me = [one, weakref.ref(one, _nothing)]
        two = _Dropped()
        weakref.ref(two, _nothing)
    return act


def _imports():
    def act():
        sys.modules.pop("colorsys", None)
        __import__("colorsys")
    act()
    return act


def _allocations():
    def act():
        blocks = [bytearray(16 << n) for n in range(12)]
        lists = [[None] * n for n in range(60)]
        del blocks, lists
    return act


def _signals():
    import os
    import signal
    signal.signal(signal.SIGUSR1, _nothing)

    def act():
        os.kill(os.getpid(), signal.SIGUSR1)
    # One that is still on its way must not end the process.
    act.end = lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    return act


def _forks():
    import os
    import warnings
    warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)

    def act():
        pid = os.fork()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
    return act


# What makes the act of each; it runs in the main thread.
_BESIDE = {
    "collector": lambda: _collector,
    "stopped-worlds": lambda: _stopped_worlds,
    "thread-starts": lambda: _thread_starts,
    "trace-toggles": _trace_toggles,
    "profile-toggles": _profile_toggles,
    "monitoring-toggles": _monitoring_toggles,
    "weak-references": _weak_references,
    "imports": _imports,
    "allocations": _allocations,
    "signals": _signals,
    "forks": _forks,
}


def _tracing():
    sys.settrace(_trace)
    return lambda: sys.settrace(_trace), lambda: sys.settrace(None)


def _profiling():
    sys.setprofile(_nothing)
    return lambda: sys.setprofile(_nothing), lambda: sys.setprofile(None)


def _monitoring():
    act = _monitoring_toggles()
    sys.monitoring.set_events(_TOOL, _monitored())

    def leave():
        sys.monitoring.set_events(_TOOL, 0)
        act.end()
    return None, leave


def _tracemalloc():
    import tracemalloc
    tracemalloc.start(3)
    return None, tracemalloc.stop


def _warnings_as_errors():
    import warnings
    before = warnings.filters[:]
    warnings.simplefilter("error")

    def leave():
        warnings.filters[:] = before
        getattr(warnings, "_filters_mutated", _nothing)()
    return None, leave


def _short_switch_interval():
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.000001)
    return None, lambda: sys.setswitchinterval(before)


def _eager_collector():
    before = gc.get_threshold()
    gc.set_threshold(7, 1, 1)
    return None, lambda: gc.set_threshold(*before)


# What each does to begin; it returns what a thread does to take part, if anything, and how to leave.
_MODES = {
    "tracing": _tracing,
    "profiling": _profiling,
    "monitoring": _monitoring,
    "tracemalloc": _tracemalloc,
    "warnings-as-errors": _warnings_as_errors,
    "short-switch-interval": _short_switch_interval,
    "eager-collector": _eager_collector,
}


class _Company(object):
    """The company of these names."""

    def __init__(self, names):
        self.names = names
        self.modes = []
        self.ends = []
        self.over = []
        self.going = []

    def enter(self):
        """Turns the modes on."""
        for name in self.names:
            if name in _MODES:
                try:
                    self.modes.append(_MODES[name]())
                except Exception:
                    pass

    def leave(self):
        """Turns them off, last first."""
        while self.modes:
            _try(self.modes.pop()[1])

    def join(self, fn, *args):
        """Runs a thread's work in the modes that are a thread's own."""
        for join, _ in self.modes:
            if join:
                _try(join)
        try:
            return fn(*args)
        finally:
            for join, leave in self.modes:
                if join:
                    _try(leave)

    def start(self):
        """Starts what runs beside."""
        self.stop()
        going = self.going
        going.append(1)
        for name in self.names:
            if name in _BESIDE:
                try:
                    act = _BESIDE[name]()
                except Exception:
                    continue
                over = _threads.allocate_lock()
                over.acquire()
                self.over.append(over)
                self.ends.append(getattr(act, "end", _nothing))
                _threads.start_new_thread(self.beside, (act, going, over))

    def beside(self, act, going, over):
        try:
            while going:
                act()
                time.sleep(0.0003)
        except Exception:
            pass  # this VM lacks it
        finally:
            over.release()

    def stop(self):
        """Ends what runs beside, and waits until it has."""
        del self.going[:]
        while self.over:
            self.over.pop().acquire()
        while self.ends:
            _try(self.ends.pop())
