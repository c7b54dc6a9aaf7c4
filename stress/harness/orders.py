# The sequential orders of a scenario's operations, run as far as an observed outcome asks for them.
# An order is a text: a digit is the thread whose next operation runs; a letter ("a": thread 0) is one whose
# next operation is left out, as where it raised before it did anything.


class _Late(Exception):
    """The time is over."""


# What contention makes of an extension's object by design (PyO3), whatever the subject lists.
_CONTENTION = ("RuntimeError: Already borrowed", "RuntimeError: Already mutably borrowed")


def _by_design(text, raises):
    """Whether a slot's text is an exception that concurrency may cause."""
    return text[:1] == "!" and any([text[1:len(r) + 1] == r for r in tuple(raises) + _CONTENTION])


class _Orders(object):
    """What the orders give, as a tree that grows by whole runs: a prefix leads to the texts that its last
    operation gave, a whole order to all that it gave. Only prefixes whose results are those of the outcome
    looked for are followed: Wing and Gong's search, where the VM itself is the model and its states cannot
    be told apart, so that what is remembered is results."""

    def __init__(self, make, bodies, final, raises, look):
        self.make = make
        self.bodies = bodies
        self.final = final
        self.raises = raises
        self.look = look
        self.lens = [len(row) for row in bodies]
        self.base = [sum(self.lens[:t]) for t in range(len(bodies))]
        self.slots = sum(self.lens)
        self.texts = {}
        self.ends = {}
        self.known = {}
        self.free = ()
        self.limit = None
        self.before = None
        self.runs = 0

    def results(self, order):
        """Runs one order: the results and the final state."""
        o = self.make()
        results = ["*"] * self.slots
        at = [0] * len(self.lens)
        for c in order:
            t = _thread_of(c)
            j = at[t]
            at[t] = j + 1
            if c > "9":
                continue
            try:
                results[self.base[t] + j] = self.bodies[t][j](o)
            except BaseException as e:
                results[self.base[t] + j] = X(e)
        try:
            final = self.final(o)
        except BaseException as e:
            final = X(e)
        self.look(o)
        return results + [final]

    def render(self, order):
        """Runs one order: the texts of its results and of the final state."""
        return [render(x) for x in self.results(order)]

    def run(self, order):
        """Runs one order twice: a slot that differs between the runs is free from now on."""
        first = self.render(order)
        second = self.render(order)
        self.runs += 2
        for i in range(len(first)):
            if first[i] != second[i] and i not in self.free:
                self.free = tuple(sorted(self.free + (i,)))
        for texts in (first, second):
            at = list(self.base)
            for i in range(len(order)):
                t = _thread_of(order[i])
                seen = self.texts.setdefault(order[:i + 1], [])
                if texts[at[t]] not in seen:
                    seen.append(texts[at[t]])
                at[t] += 1
            if order.isdigit():
                self.known[tuple(texts)] = 1
        self.ends[order] = (first, second)

    def explained(self):
        """The outcomes of all orders that were run, as `line` writes them."""
        return set([" | ".join([_cell(x, i in self.free) for i, x in enumerate(texts)]) for texts in self.known])

    def star(self, want):
        """An outcome's slots where more of them turned out to be free."""
        return [_cell(x, True) if i in self.free else x for i, x in enumerate(want)]

    def allow(self, seconds):
        """Gives searches so much time: of this thread where the VM tells it, for other programs take
        theirs, and four times as much of the clock."""
        self.limit = (_spent() + seconds, _clock() + 4 * seconds)

    def explain_in_time(self, want, before):
        """The same of orders that keep to what was done before each operation began."""
        self.before = before
        try:
            return self.explain(want, False)
        finally:
            self.before = None

    def explain(self, want, excuse):
        """The order that gives an outcome (its slots' texts), "" where none does, None where the time is
        over before that is known. With `excuse` an exception by design frees its own slot, and the
        operation that raised it may also have done nothing."""
        excused = [i for i in range(self.slots) if excuse and _by_design(want[i], self.raises[i])]
        if excuse and not excused:
            return ""
        try:
            return self.below("", list(self.base), want, excused)
        except _Late:
            return None

    def below(self, prefix, at, want, excused):
        if len(prefix) == self.slots:
            return prefix if any([self.is_it(texts, want, excused) for texts in self.ends[prefix]]) else ""
        for t in range(len(self.lens)):
            slot = at[t]
            if slot == self.base[t] + self.lens[t]:
                continue
            if self.before and [1 for u, n in enumerate(self.before[slot]) if at[u] - self.base[u] < n]:
                continue
            for c in (str(t), chr(97 + t)) if slot in excused else (str(t),):
                longer = prefix + c
                if longer not in self.texts:
                    if _spent() > self.limit[0] or _clock() > self.limit[1]:
                        raise _Late
                    self.run(longer + self.rest(longer))
                # What differs from run to run, or by what follows, rules nothing out before the end.
                texts = self.texts[longer]
                if slot in excused or slot in self.free or len(texts) > 1 or _cell(texts[0], False) == want[slot]:
                    at[t] += 1
                    found = self.below(longer, at, want, excused)
                    at[t] -= 1
                    if found:
                        return found
        return ""

    def is_it(self, texts, want, excused):
        """Whether these are the texts of the outcome looked for."""
        for i in range(len(texts)):
            free = i in self.free
            if i not in excused and _cell(texts[i], free) != _cell(want[i], free):
                return False
        return True

    def rest(self, prefix):
        """The operations that a prefix leaves, thread by thread."""
        left = list(self.lens)
        for c in prefix:
            left[_thread_of(c)] -= 1
        return "".join([str(t) * n for t, n in enumerate(left)])


def _thread_of(c):
    return ord(c) - (97 if c > "9" else 48)


_clock = getattr(time, "perf_counter", None) or time.time
_spent = getattr(time, "thread_time", None) or getattr(time, "process_time", None) or _clock
