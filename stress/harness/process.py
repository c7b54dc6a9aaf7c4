# A process of its own for each trial: what a first use sets up for the whole VM is set up anew in each of them. The
# process is a copy of this one, so that a trial costs a fork and not the start of an interpreter.
try:
    import os
except ImportError:
    os = None


_QUIET = []


def in_process(work):
    """The texts that `work` returns in a copy of this process. This one ends as the copy ends, where that is
    not well: left with the same code, or with the one that tells of the same signal."""
    inlet, outlet = os.pipe()
    if not _QUIET:
        # Threads that wait for work are no reason to warn each time.
        import warnings
        warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)
        _QUIET.append(1)
    pid = os.fork()
    if not pid:
        code = 70
        try:
            os.close(inlet)
            told = "\x1f".join(work()).encode("utf-8", "backslashreplace")
            while told:
                told = told[os.write(outlet, told):]
            code = 0
        except BaseException as e:
            sys.stderr.write("in a process of its own: %s: %s\n" % (type(e).__name__, e))
        finally:
            os._exit(code)
    os.close(outlet)
    parts = []
    while not parts or parts[-1]:
        parts.append(os.read(inlet, 65536))
    os.close(inlet)
    status = os.waitpid(pid, 0)[1]
    if status:
        _end_as(status)
    return b"".join(parts).decode("utf-8").split("\x1f")


def _end_as(status):
    """Ends as a copy has ended: of a signal by the code that says so, for only the copy's core tells where it died."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(128 + (status & 0x7F) if status & 0x7F else status >> 8)


class _Apart(_Orders):
    """Orders each of which runs in a process of its own."""

    def begins(self):
        """Says that an order begins: a process may take as long as many orders of another subject."""

    def render(self, order):
        self.begins()
        return in_process(lambda: _Orders.render(self, order))
