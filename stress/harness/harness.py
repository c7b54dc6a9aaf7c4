# Threadbare's harness: runs scenarios inside any Python VM and tallies their outcomes.
#
# The last part of one portable file (CPython >= 3.9, RustPython, MicroPython, PyPy, GraalPy, Jython 2.7),
# after values.py, render.py, rest.py, orders.py, in_time.py, process.py, pause.py and company.py, which scripts begin with too:
# no f-strings, no modules beyond sys, time, gc and the low-level thread module, but where one is asked for.
# The hunter appends `main({...})` with the job and runs the file as `VM FILE`.
#
# Output: one record a line on stdout, tab-separated, first field a letter:
#   I key value                  facts of this process (implementation, GIL, ...)
#   B id                         scenario begins (flushed: a crash is attributed to it)
#   K id reason                  scenario cannot run on this VM
#   Q id outcome                 an outcome of some sequential order
#   A id exception               one that some operation raised in some order
#   W id outcome                 an observed one that some order gives but for an exception by design
#   D id outcome                 an observed one of which the time did not suffice to know it
#   F id slots                   results that differ from run to run in one thread, and so match anything
#   P id shape                   what follows: stride, alone (the slot's turns by one thread), slot, process, wait, seq
#                                (control)
#   O id count outcome           an outcome of the concurrent runs
#   T id count outcome before    one that some order gives, and none that keeps to what was done before what
#   V id kind detail             a violation seen from inside: corrupt, broken, refcount, leak, thread, alarm,
#                                and `alone`: a check that is false after what one thread did
#   C id runs sampled overlapped slots  counters
#   E id                         scenario ends
#   U what ok|reason             support of one operation or set-up (probe jobs)
#   X                            all work done; what follows is interpreter shutdown
try:
    import _thread as th
except ImportError:
    import thread as th  # Jython 2.7
try:
    import threading
except ImportError:
    threading = None

clock = _clock
MAX_OUTCOMES = 4000


HELD = []  # under control: the records of a schedule, which are told only where something is wrong


def emit(*fields):
    text = "\t".join([str(f).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") for f in fields])
    if HELD:
        HELD[0].append(text + "\n")
        return
    sys.stdout.write(text + "\n")
    flush = getattr(sys.stdout, "flush", None)
    if flush:
        flush()


MARKS = []  # on a sanitizer's build: its reports are on stderr, so what they belong to must stand there too


def mark(*fields):
    emit(*fields)
    if MARKS:
        sys.stderr.write("@threadbare\t" + "\t".join([str(f) for f in fields]) + "\n")
        sys.stderr.flush()


def plain(x):
    """Whether equality and hash of x say everything that its rendering says."""
    t = type(x)
    if t is str:
        return "Tok object at " not in x
    if t in _PLAIN or t is Exc:
        return True
    if t is tuple or t is frozenset:
        for y in x:
            if not plain(y):
                return False
        return True
    return False


_ALIKE = (type(None), str, bytes, tuple, frozenset, Exc)  # each is equal to its own type only


def has_number(x):
    """Whether a plain value is or holds what may be equal to a value of another type."""
    if type(x) is tuple or type(x) is frozenset:
        for y in x:
            if has_number(y):
                return True
        return False
    return type(x) not in _ALIKE


def chain(values):
    """All items of all values."""
    return [y for x in values for y in x]


try:
    from itertools import chain as _chain
    chain = _chain.from_iterable  # inside the VM
except (ImportError, AttributeError):
    pass


class Lcg(object):
    """Seeded numbers, the same on every VM."""

    def __init__(self, seed):
        self.s = (seed * 2654435761 + 12345) & 0x7FFFFFFF

    def below(self, n):
        self.s = (self.s * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.s >> 8) % n


class Worker(object):
    """A persistent thread that runs one function at a time; locks serve as semaphores."""

    def __init__(self):
        self.go = th.allocate_lock()
        self.go.acquire()
        self.done = th.allocate_lock()
        self.done.acquire()
        self.work = None
        self.error = None
        if threading:
            self.thread = threading.Thread(target=self.loop)
            self.thread.start()
        else:
            self.thread = None
            th.start_new_thread(self.loop, ())

    def loop(self):
        while True:
            self.go.acquire()
            work = self.work
            if work is None:
                break
            try:
                work[0](*work[1])
            except BaseException as e:
                self.error = X(e)
                work[2]()
            self.work = work = None
            self.done.release()
        self.done.release()

    def start(self, fn, args, on_error):
        self.work = (fn, args, on_error)
        self.go.release()

    def wait(self):
        self.done.acquire()
        error, self.error = self.error, None
        return error

    def stop(self):
        self.work = None
        self.go.release()
        self.done.acquire()
        if self.thread:
            self.thread.join()


class Tally(object):
    """Counts outcomes by their raw value where that is faithful, else by their text."""

    def __init__(self, run, told=None):
        self.run = run
        self.told = told or run.outcome  # an outcome's text
        self.raw = {}
        self.text = {}
        self.slow = run.free or run.spec.get("slow")
        self.common = None  # an outcome in `raw` that most runs had of late
        self.types = {}  # those that were seen at a place of the outcomes
        self.turn = 0

    def count(self, columns, objects):
        """Counts the outcomes of a stride, a column for each result; its objects are at hand for a
        look at new ones. Where nearly all are alike, as they are when threads run free, a block
        that is all of the commonest costs one pass a column and builds nothing."""
        common = None if self.slow else self.common
        if common:
            n, times, left = len(objects), 0, []
            try:
                for a in range(0, n, 64):
                    for column, value in zip(columns, common):
                        part = column[a:a + 64]
                        if part.count(value) != len(part):
                            left.append(a)
                            break
                    else:
                        times += len(part)
                if not self.is_common_faithful(common, columns):
                    times, left, self.slow = 0, range(0, n, 64), True
            except Exception:  # a comparison that refuses
                times, left, self.slow = 0, range(0, n, 64), True
            if len(left) * 128 > n:
                self.common = None
            if times:
                self.raw[common] += times
            columns = [[x for a in left for x in column[a:a + 64]] for column in columns]
            objects = [o for a in left for o in objects[a:a + 64]]
        if objects:
            self.outcomes(columns, objects)

    def is_common_faithful(self, common, columns):
        """Whether what is equal to the commonest outcome is that outcome. A value without numbers is;
        of numbers one block of a stride is looked at, for a look at all costs as much as the race, and
        the commonest is seen so often that another type is found out all the same."""
        self.turn += 1
        a = self.turn * 64 % len(columns[0])
        for i, value in enumerate(common):
            if has_number(value) and not self.is_faithful((i,), columns[i][a:a + 64]):
                return False
        return True

    def is_faithful(self, place, values):
        """Whether equality tells these values and the earlier ones of the place apart as their text does:
        `1 == True == 1.0` and `0.0 == -0.0`."""
        here = set(map(type, values))
        if tuple not in here and frozenset not in here:
            return self.add_types(place, here, values)
        same = values if len(here) == 1 else [x for x in values if type(x) is tuple or type(x) is frozenset]
        inside = set(map(type, chain(same)))
        if tuple not in inside and frozenset not in inside and float not in inside:
            if self.add_types(place, here | inside, ()):
                return True
        # Tuples in tuples; or several types of numbers, but perhaps each at a place of its own.
        if not self.add_types(place + (None,), here, values):
            return False
        if frozenset in here:
            return False
        lens = set(map(len, same))
        for n in lens:
            rows = same if len(lens) == 1 else [x for x in same if len(x) == n]
            for i, column in enumerate(zip(*rows)):
                if not self.is_faithful(place + (n, i), column):
                    return False
        return True

    def add_types(self, place, here, values):
        """Whether values of these types and of those seen before at this place are equal to their own
        type's only."""
        found = self.types.setdefault(place, set())
        found.update(here)
        odd = found.difference(_ALIKE)
        return not odd or len(odd) == 1 and (int in odd or bool in odd or float in odd and 0.0 not in values)

    def outcomes(self, columns, objects):
        if not self.slow:
            try:
                alike = [1 for i, column in enumerate(columns) if self.is_faithful((i,), column)]
                self.slow = len(alike) < len(columns)
            except Exception:
                self.slow = True
        keys = list(zip(*columns))
        groups = None if self.slow else self.groups(keys)
        if groups is None:
            for i, k in enumerate(keys):
                self.one(k, 1, objects[i])
            return
        for k, times in groups:
            self.one(k, times, objects[keys.index(k)])
            if times > len(keys) * 31 // 32:
                self.common = k

    def groups(self, keys):
        """Distinct outcomes and how often each is there, where they are few, as is usual: counting
        one is one pass inside the VM. Mostly all are known and need not be looked for."""
        try:
            groups = [(k, keys.count(k)) for k in self.raw] if len(self.raw) <= 8 else []
            if sum([times for _, times in groups]) == len(keys):
                return [group for group in groups if group[1]]
            distinct = set(keys)
            return [(k, keys.count(k)) for k in distinct] if len(distinct) <= 24 else None
        except Exception:  # a result without a hash, or with a comparison that refuses
            return None

    def one(self, k, times, o):
        if not self.slow:
            try:
                if k in self.raw:
                    self.raw[k] += times
                    return
                if plain(k) and len(self.raw) < MAX_OUTCOMES:
                    self.run.check(o)
                    self.raw[k] = times
                    return
            except Exception:
                pass
            self.slow = True
        for _ in range(times):
            if self.add(k) == 1:
                self.run.check(o)

    def add(self, k):
        text = self.told(k)
        if text not in self.text and len(self.text) >= MAX_OUTCOMES:
            text = "..."
        self.text[text] = count = self.text.get(text, 0) + 1
        return count

    def all(self):
        for k, count in list(self.raw.items()):
            text = self.told(k)
            self.text[text] = self.text.get(text, 0) + count
        self.raw = {}
        return self.text


# (lag of thread 0, lag of thread 1, jitter of thread 0, jitter of thread 1); None: free-running.
PHASES = [(0, 0, 0, 0), (1, 0, 0, 3), (0, 1, 3, 0), (0, 0, 4, 4), (1, 0, 0, 8), (0, 1, 8, 0), (0, 0, 0, 6), (0, 0, 6, 0), None,
          (1, 0, 3, 3), (0, 1, 3, 3), (0, 0, 0, 2), (0, 0, 2, 0), (1, 0, 0, 24), (0, 1, 24, 0), (1, 0, 0, 0), (0, 1, 0, 0),
          (0, 0, 12, 12), (0, 0, 0, 16), (0, 0, 16, 0), (2, 2, 0, 0), (0, 0, 0, 40), (0, 0, 40, 0)]
FREE = [None]
JITTER = {}


def jitters(d, shift, n):
    """Loop turns to wait at each object: 0 to d, spread evenly; tables are made once a process."""
    table = JITTER.get(d, ())
    if len(table) < shift + n:
        table = JITTER[d] = [(i * 40503 >> 4) % (d + 1) for i in range(shift + max(n, 1024))]
    return table[shift:shift + n]


class Pace(object):
    """How many objects fill a time. The cheapest turn counts: on a busy machine most turns are
    slow for other reasons, and short turns would then only make it worse."""

    def __init__(self):
        self.cost = None

    def next(self, n, took, share):
        cost = max(took, 1e-6) / n
        if self.cost is None or cost < self.cost:
            self.cost = cost
        else:
            self.cost *= 1.1
        return max(4, min(int(share / self.cost), n * 4))


def namespace(tokens):
    """What a scenario's code finds defined."""
    return {"Tok": Tok, "Exc": Exc, "X": X, "ALARM": ALARM, "V": tokens, "N": int("1000"), "K": "".join(["k"]),
            "PAUSE": PAUSE, "render": render, "__name__": "scenario"}


def processors():
    """How many threads run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return getattr(os, "cpu_count", int)() or 64


def checked(fn, o):
    """True, or what the check gives as text."""
    try:
        ok = fn(o)
    except BaseException as e:
        ok = X(e)
    return True if ok is True else render(ok)


WRONG = 3  # the exit code of a schedule that saw something wrong
WINDOW_TURNS = 4  # on the slot: who takes the last replaces it


class NoSetUp(Exception):
    """So many objects cannot be made: out of files, say. No verdict on the VM."""


class Kept(object):
    """Takes the outcomes of a stride as they are."""

    def count(self, columns, objects):
        self.columns, self.objects = columns, objects


class Run(object):
    """One scenario: sequential orders first, then strides, then the shared slot."""

    def __init__(self, spec, job, workers):
        self.spec = spec
        self.id = spec["id"]
        self.job = job
        self.workers = workers
        self.rng = Lcg(spec["id"] * 31 + job["seed"])
        self.lens = spec["ops"]
        self.slots = sum(self.lens)
        self.runs = 0
        self.sampled = 0
        self.overlapped = 0
        self.rounds = 0
        self.seen_violations = {}
        self.tokens = make_tokens()
        self.ns = namespace(self.tokens)
        exec(spec["src"], self.ns)
        self.bodies = self.ns["_BODIES"]
        self.final = self.ns["FINAL"]
        self.make = self.ns["MK"]
        self.reset = self.ns.get("RESET")
        self.company = _Company(spec.get("company", ()))
        PAUSE.join = self.company.join
        self.alarms = [[] for _ in self.lens]
        self.alone_too = {}
        self.no_set_up = None
        self.wrong = None  # under control: how much is, at the end of a schedule
        self.timed = None  # outcomes with what was done before what, where that is kept
        self.one_thread_only = True
        orders = _Apart if "p" in spec["shapes"] else _Orders
        self.orders = orders(self.fresh, self.bodies, self.final, spec["raises"], self.check)
        self.phase = ""
        self.orders.begins = lambda: mark("P", self.id, self.phase)

    @property
    def free(self):
        return self.orders.free

    def fresh(self):
        """A fresh object; what the whole module shares is as it was in the beginning."""
        if self.reset:
            self.reset()
        return self.make()

    def violation(self, kind, detail):
        if (kind, detail) not in self.seen_violations and len(self.seen_violations) < 20:
            self.seen_violations[(kind, detail)] = 1
            emit("V", self.id, kind, detail)

    def check(self, o):
        fn = self.ns.get("CHECK")
        if fn:
            ok = self.checked(fn, o)
            if ok is not True:
                detail = "check gives " + ok
                if self.checked(fn, o) is True:
                    # Nobody works on the object: what damaged it would have stayed.
                    detail += ", and True when asked again"
                if self.one_thread_only and is_missing(ok):
                    raise NoSetUp("its check asks for what this VM lacks: " + ok[1:])
                if ("alone", detail) not in self.seen_violations:
                    self.violation("alone" if self.one_thread_only else "corrupt", detail)

    def checked(self, fn, o):
        """True, or what the check gives as text."""
        text = checked(fn, o)
        if text is not True and not hasattr(sys, "getrefcount"):
            # What nobody holds any more ends with the next collection on this VM, such as a view of a buffer.
            gc.collect()
            text = checked(fn, o)
        return text

    def outcome(self, k):
        return line(k, self.free)

    def explain(self):
        """What one thread gives: of all orders where they are few, else of some."""
        # Where each takes long, as in a process of its own, others are run as an outcome asks for them.
        until = clock() + self.spec["ms"] / 1000.0
        for i, order in enumerate(self.spec["orders"]):
            if i > 1 and clock() > until:
                break
            self.orders.run(order)
        self.tell_orders(self.orders.explained())

    def tell_orders(self, outcomes):
        """Tells these outcomes of orders, and the exceptions of all that were run."""
        for text in outcomes:
            emit("Q", self.id, text)
        for texts in self.orders.known:
            for text in texts:
                if text[:1] == "!" and text not in self.alone_too:
                    self.alone_too[text] = 1
                    emit("A", self.id, text[1:])
        emit("F", self.id, ",".join([str(i) for i in self.free]))

    def search(self, texts):
        """Looks for an order of each outcome that no order is known to give. Tells what is explained,
        what needs an exception by design, of what the time did not suffice, and the counts of all.
        Returns what none gives."""
        self.orders.allow(self.spec["search"] / 1000.0)
        self.one_thread_only = True
        before = self.orders.explained()
        excused, undecided = [], []
        for text in sorted(texts, key=lambda k: -texts[k]):
            if text in before:
                continue
            want = text.split(" | ")
            order = self.orders.explain(want, False)
            if order == "":
                order = self.orders.explain(want, True)
                if order:
                    excused.append(want)
            if order is None:
                undecided.append(want)
        together = {}
        for text in texts:
            now = " | ".join(self.orders.star(text.split(" | ")))
            together[now] = together.get(now, 0) + texts[text]
        explained = self.orders.explained()
        self.tell_orders([text for text in explained if text in together or text in before])
        for letter, outcomes in (("W", excused), ("D", undecided)):
            for want in outcomes:
                emit(letter, self.id, " | ".join(self.orders.star(want)))
        # What no order gives comes first: there may be more outcomes than are told.
        for text in sorted(together, key=lambda k: (k in explained, together[k]))[:200]:
            emit("O", self.id, together[text], text)
        told = [" | ".join(self.orders.star(want)) for want in excused + undecided]
        return [text for text in together if text not in explained and text not in told]

    def search_in_time(self):
        """Of what some order gives, tells what none gives that keeps to the record of real time."""
        self.orders.allow(self.spec["search"] / 1000.0)
        texts = self.timed.all()
        texts.pop("...", None)
        for text in sorted(texts, key=lambda k: -texts[k]):
            outcome, numbers = text.split("\n")
            want = self.orders.star(outcome.split(" | "))
            before = _before([int(n) for n in numbers.split(",")], self.lens)
            if self.orders.explain(want, False) and self.orders.explain_in_time(want, before) == "":
                emit("T", self.id, texts[text], " | ".join(want), _in_words(before, self.lens))

    def with_record(self, k):
        """The text of an outcome, and the numbers of what was done before each operation."""
        return line(k[:-1], self.free) + "\n" + ",".join([str(n) for n in k[-1]])

    def parallel(self, tasks, on_error):
        """Thread 0 is this one, the others are workers."""
        if self.company.modes:
            tasks = [(self.company.join, [fn] + list(args)) for fn, args in tasks]
        for w, (fn, args) in zip(self.workers, tasks[1:]):
            w.start(fn, args, on_error)
        try:
            tasks[0][0](*tasks[0][1])
        except BaseException as e:
            on_error()
            self.violation("thread", render(X(e)))
        for w, _ in zip(self.workers, tasks[1:]):
            error = w.wait()
            if error:
                self.violation("thread", render(error))

    def fill(self, objects, start, end):
        try:
            self.ns["FILL"](objects, start, end)
        except BaseException as e:
            self.no_set_up = X(e)

    def stride(self, n, phase, tally, sample):
        threads = len(self.lens)
        maker = self.rng.below(4)
        objects = [None] * n
        if self.reset:
            self.reset()
        # Made by another thread, half by each, or all by this one, which may end with it.
        if maker == 0 and self.workers:
            self.workers[0].start(self.fill, (objects, 0, n), lambda: None)
            self.workers[0].wait()
        elif maker == 1 and self.workers:
            middle = n // 2
            self.parallel([(self.fill, (objects, 0, middle)), (self.fill, (objects, middle, n))], lambda: None)
        else:
            self.fill(objects, 0, n)
        if self.no_set_up:
            raise NoSetUp(render(self.no_set_up))
        results = [[None] * n for _ in range(self.slots)]
        lag = (phase[0:2] if phase else (0, 0)) + (0,) * (threads - 2)
        d = (phase[2:4] if phase else (0, 0)) + (0,) * (threads - 2)
        if threads > 2 and phase:
            # Which two of the threads are apart changes from stride to stride.
            turn = self.rng.below(threads)
            lag, d = lag[turn:] + lag[:turn], d[turn:] + d[:turn]
        if phase is None:
            arrived = [[1] * n for _ in range(threads)]
        else:
            arrived = [[1] * lag[t] + [None] * n for t in range(threads)]
        ended = seen = None
        if sample:
            ended = [[0] * n for _ in range(threads)]
            seen = [[0] * n for _ in range(self.slots)]
        free = phase is None and not sample
        fns = self.ns["_MEASURED" if sample else "_FREE" if free else "_THREADS"]
        tasks = []
        base = 0
        for t in range(threads):
            own = results[base:base + self.lens[t]]
            base += self.lens[t]
            if free:
                tasks.append((fns[t], [objects, n] + own))
                continue
            others = [arrived[u] for u in range(threads) if u != t]
            mine = arrived[t] if phase else [1] * n
            args = [objects, n, mine, lag[t], jitters(d[t], self.rng.below(64), n)] + others + own
            if sample:
                args += [ended[t]] + seen[base - self.lens[t]:base] + [ended[u] for u in range(threads) if u != t]
            tasks.append((fns[t], args))

        def release():
            for a in arrived:
                for i in range(len(a)):
                    a[i] = 1

        self.parallel(tasks, release)
        if sample:
            self.sampled += n
            recorded = [(i, numbers) for i, numbers in enumerate(zip(*seen)) if any(numbers)]
            self.overlapped += n - len([1 for _, numbers in recorded if self.is_apart(numbers)])
        finals = [None] * n
        self.ns["OBSERVE"](objects, finals, n)
        if sample and recorded and self.timed:
            columns = [[column[i] for i, _ in recorded] for column in results + [finals]]
            self.timed.count(columns + [[numbers for _, numbers in recorded]], [objects[i] for i, _ in recorded])
        tally.count(results + [finals], objects)
        if "CHECK" in self.ns:
            # An object may contradict itself under an outcome that is known.
            for i in range(self.rng.below(16), n, max(1, n // 16)):
                self.check(objects[i])
        self.runs += n
        if maker == 2 and self.workers:
            self.workers[0].start(self.ns["CLEAR"], (objects, n), lambda: None)
            self.workers[0].wait()

    def is_apart(self, numbers):
        """Whether a thread had done all before another began."""
        before = _before(numbers, self.lens)
        firsts = [before[self.orders.base[t]] for t in range(len(self.lens))]
        return [1 for done in firsts for u, n in enumerate(done) if n == self.lens[u]] != []

    def strides(self, until):
        mark("P", self.id, "stride")
        self.one_thread_only = False
        tally = Tally(self)
        if self.job.get("real_time") and self.spec.get("in_time"):
            self.timed = Tally(self, self.with_record)
        n, pace = 1 if self.reset else min(16, self.spec["n"]), Pace()
        # Threads that share a processor would wait for each other's turn of it at every object.
        crowd = len(self.lens) > self.job.get("processors", 64)
        phases = FREE if self.job.get("gil") or self.job.get("free") or crowd else PHASES
        best, best_score, turn = phases[0], (-1, 0), 0
        scores = {}
        while True:
            t0 = clock()
            if t0 >= until:
                break
            if turn < len(phases):
                phase = phases[turn]
            else:
                phase = best if self.rng.below(4) else phases[self.rng.below(len(phases))]
            before = self.counts(tally)
            sample = turn % 8 == 1 and phases is not FREE
            self.stride(n, phase, tally, sample)
            after = self.counts(tally)
            took = clock() - t0
            if took > 0:
                # Most distinct outcomes, then the rarest of them per second.
                fresh = [c - before.get(k, 0) for k, c in after.items() if c > before.get(k, 0)]
                score = (len(fresh), min(fresh) / took if fresh else 0)
                old = scores.get(phase)
                score = score if old is None else (max(score[0], old[0]), (score[1] + 3 * old[1]) / 4)
                scores[phase] = score
                best = max(scores, key=lambda p: scores[p])
            # Strides of a few milliseconds: long enough to overlap, short enough to try many phases.
            n = min(pace.next(n, took, min(0.01, self.spec["ms"] / 12000.0)), self.spec["n"])
            if self.reset:
                n = 1  # all objects share what was reset
            if phases is FREE:
                # Fits a level-2 cache, and a collector that starts after 2,000 new objects (CPython's
                # and RustPython's threshold) does not walk every stride.
                n = min(n, 800)
            turn += 1
        return tally

    def counts(self, tally):
        return dict(list(tally.raw.items()) + list(tally.text.items()))

    def alone(self):
        """The slot's turns by one thread: what breaks or alarms here is no race."""
        mark("P", self.id, "alone")
        holder = [self.fresh()]
        found = []
        for fn in self.ns["_SLOTS"]:
            # Operations may take microseconds or milliseconds.
            left, n, until = 300, 4, clock() + self.spec["ms"] / 4000.0
            while left > 0 and clock() < until:
                fn(holder, n, 511, found)
                left -= n
                n *= 2
            self.excuse(found)
        until = clock() + self.spec["ms"] / 4000.0
        for i in range(24 * len(self.lens)):
            if clock() > until:
                break
            self.ns["_SLOTS"][i % len(self.lens)](holder, 6, 63, found)
            self.excuse(found)

    def excuse(self, alarms):
        """What one thread raises too is no alarm later."""
        for text in alarms:
            self.alone_too[text] = 1
        del alarms[:]

    def slot(self, until):
        """No barrier at all: every thread works on what the slot holds, any of them replaces it."""
        mark("P", self.id, "slot")
        self.one_thread_only = False
        n, pace = max(4, 64 // self.slots), Pace()
        masks = (3, 15, 63, 255)
        while True:
            t0 = clock()
            if t0 >= until:
                break
            holder = [self.fresh()]
            mask = masks[self.rng.below(len(masks))]
            tasks = [(fn, [holder, n, mask, self.alarms[t]]) for t, fn in enumerate(self.ns["_SLOTS"])]
            self.parallel(tasks, lambda: None)
            self.rounds += n
            n = min(pace.next(n, clock() - t0, 0.02), 1 << 16)
            self.tell_alarms()

    def tell_alarms(self):
        """What operations raised that none may, a few of each thread; one thread alone does not raise it."""
        for found in self.alarms:
            for text in found[:4]:
                if text not in self.alone_too:
                    self.violation("alarm", text)
            del found[:]

    def processes(self, until):
        """All threads once on one object, in a process of its own each time."""
        self.phase = "process"
        mark("P", self.id, self.phase)
        self.one_thread_only = False
        tally = Tally(self)
        turn = 0
        while clock() < until:
            phase = FREE[0] if self.job.get("gil") else PHASES[turn % len(PHASES)]
            told = in_process(lambda: self.trial(phase))
            for detail in told[self.slots + 1:]:
                self.violation("corrupt", detail)
            text = " | ".join([_cell(x, i in self.free) for i, x in enumerate(told[:self.slots + 1])])
            tally.text[text] = tally.text.get(text, 0) + 1
            self.rng.below(turn + 2)  # the trial's own numbers are lost with its process
            self.runs += 1
            turn += 1
        return tally

    def trial(self, phase):
        """The texts of one race on one object, and what is wrong with it then."""
        # The workers of the process that this is a copy of are not in it.
        self.workers = [Worker() for _ in self.workers]
        wrong = []
        self.violation = lambda kind, detail: wrong.append(detail)
        kept = Kept()
        self.company.start()  # ends with the process
        self.stride(1, phase, kept, False)
        self.check(kept.objects[0])
        return [render(column[0]) for column in kept.columns] + wrong[:3]

    def waits(self, until):
        """One thread waits in the middle of an operation until the others have run theirs."""
        mark("P", self.id, "wait")
        self.one_thread_only = False
        turn = 0
        while clock() < until:
            o = self.fresh()
            PAUSE.race(self.bodies, o, turn % len(self.bodies))
            self.check(o)
            self.runs += 1
            turn += 1

    def window(self):
        """All threads once on one object, every step in the hands of who schedules them (`kit` is control.py's): in a copy
        of this process for each schedule."""
        import kit
        slot = self.spec["shapes"] == "s"
        mark("P", self.id, "slot" if slot else "stride")
        known = len(self.seen_violations)
        kit.sources["<string>"] = self.spec["src"]
        kit.serve()
        HELD.append([])
        self.one_thread_only = False
        if self.reset:
            self.reset()
        objects = [None]
        maker = self.job["window"]["maker"]
        if maker is None:
            self.fill(objects, 0, 1)
        results = [[None] for _ in range(self.slots)]
        tasks, base = [], 0
        for t, n in enumerate(self.lens):
            if slot:
                tasks.append((self.ns["_SLOTS"][t], [objects, WINDOW_TURNS, 255, self.alarms[t]]))
            else:
                tasks.append((self.ns["_FREE"][t], [objects, 1] + results[base:base + n]))
            base += n
        errors = []

        def thread(t, fn, args):
            def one():
                if t == maker:
                    self.fill(objects, 0, 1)
                kit.wait(kit.GO, len(tasks))
                try:
                    fn(*args)
                except BaseException as e:
                    errors.append(X(e))
                kit.wait(kit.DONE)
            return one

        started = [kit.start(thread(t, fn, args)) for t, (fn, args) in enumerate(tasks)]
        kit.wait(kit.CLOSED, 1)
        if self.no_set_up:
            raise NoSetUp(render(self.no_set_up))
        for error in errors:
            self.violation("thread", render(error))
        self.tell_alarms()
        tally = Tally(self)
        if slot:
            self.rounds = WINDOW_TURNS
        else:
            self.runs = 1
            finals = [None]
            self.ns["OBSERVE"](objects, finals, 1)
            tally.count(results + [finals], objects)
            self.check(objects[0])
        if self.spec.get("counted"):
            # What a thread has put off it does at its end.
            for one in started:
                if hasattr(one, "join"):
                    one.join()
        texts = tally.all()
        texts.pop("...", None)
        wrong = [text for text in self.search(texts) if text not in self.job["window"]["accepted"]]
        self.wrong = lambda: len(wrong) + len(self.seen_violations) - known

    def is_shared(self):
        """Whether fresh objects share a table of the module's: what was done to one shows in another that was
        made before, and not in one that is made then. Strides would take that for what no order gives."""
        if self.reset or "t" not in self.spec["shapes"]:
            return False
        pool = []
        second = _Orders(pool.pop, self.bodies, self.final, (), lambda o: None)
        for order in list(self.orders.ends)[:2]:
            seen = 0
            for _ in range(3):
                pool.extend([self.make(), self.make()])
                second.render(order)
                used, new = second.render(order), self.orders.render(order)
                seen += self.is_new(order, used) and not self.is_new(order, new)
            if seen == 3:
                return True
        return False

    def is_new(self, order, texts):
        """Whether the texts of an order's results are not those of the runs before."""
        known = self.orders.ends[order]
        return [1 for i, x in enumerate(texts) if i not in self.free and x not in [k[i] for k in known]] != []

    def one_thread(self, until):
        """Control: the same orders again, one thread; any new outcome is a false alarm of ours."""
        self.phase = "seq"
        mark("P", self.id, self.phase)
        tally = Tally(self)
        tally.slow = True
        while clock() < until:
            for _ in range(20):
                left = "".join([str(t) * n for t, n in enumerate(self.lens)])
                order = ""
                while left:
                    i = self.rng.below(len(left))
                    order, left = order + left[i], left[:i] + left[i + 1:]
                if "p" in self.spec["shapes"]:
                    text = " | ".join([_cell(x, i in self.free) for i, x in enumerate(self.orders.render(order))])
                    tally.text[text] = tally.text.get(text, 0) + 1
                else:
                    tally.add(self.orders.results(order))
                self.runs += 1
        return tally

    def at_rest(self, refs, live):
        """After the last reference is gone nothing may stay alive and no count may be off: what is, as text."""
        if self.spec.get("keeps") or not self.spec.get("counted"):
            return []
        if HELD and counted(self.tokens) == refs and living(self.tokens) <= live:
            return []  # a collection would cost more than the schedule
        for _ in range(3):
            gc.collect()
            now = counted(self.tokens)
            alive = living(self.tokens) if self.spec.get("fresh") else live
            if now == refs and alive <= live:
                return []
            for w in self.workers:
                w.start(gc.collect, (), lambda: None)
                w.wait()
        found = []
        if [1 for a, b in zip(now, refs) if a < b]:
            found.append(("refcount", "a token's reference count at rest is lower than before"))
        if [1 for a, b in zip(now, refs) if a > b]:
            found.append(("leak", "a token's reference count at rest is higher than before"))
        if alive > live:
            found.append(("leak", "objects stay alive after the last reference is gone"))
        return found

    def go(self):
        refs = counted(self.tokens)
        live = living(self.tokens) if self.spec.get("fresh") else 0
        self.company.enter()
        try:
            self.work(refs, live)
        finally:
            self.company.leave()
        if self.reset:
            self.reset()
        for kind, text in self.at_rest(refs, live):
            self.violation(kind, text)
        emit("C", self.id, self.runs, self.sampled, self.overlapped, self.rounds)

    def work(self, refs, live):
        if "p" in self.spec["shapes"] and not hasattr(os, "fork"):
            raise NoSetUp("this VM cannot copy its process (os.fork)")
        self.explain()
        if self.is_shared():
            self.spec["shapes"] = self.spec["shapes"].replace("t", "")
            if not self.spec["shapes"]:
                raise NoSetUp("fresh objects share a table of the module's: the subject must say how to reset it")
        if "s" in self.spec["shapes"]:
            self.alone()
        # What one thread leaks is no race; such a scenario's counts say nothing.
        if self.reset:
            self.reset()
        if self.at_rest(refs, live):
            self.spec["keeps"] = 1
        budget = self.spec["ms"] / 1000.0
        start = clock()
        shapes = self.spec["shapes"]
        tallies = []
        if self.job.get("window"):
            self.window()
        elif self.job.get("control"):
            tallies.append(self.one_thread(start + budget))
        else:
            part = budget / max(1, len(shapes))
            if "p" not in shapes:
                self.company.start()  # else each process has its own
            start = clock()
            try:
                for i, shape in enumerate(shapes):
                    tally = self.SHAPES[shape](self, start + part * (i + 1))
                    if tally:
                        tallies.append(tally)
            finally:
                self.company.stop()
        for tally in tallies:
            texts = tally.all()
            texts.pop("...", None)
            self.search(texts)
        if self.timed:
            self.search_in_time()

    SHAPES = {"t": strides, "s": slot, "p": processes, "w": waits}


def facts():
    impl = getattr(getattr(sys, "implementation", None), "name", None) or "unknown"
    gil = getattr(sys, "_is_gil_enabled", None)
    threads = getattr(getattr(sys, "implementation", None), "_thread", None)  # MicroPython: "GIL" or "unsafe"
    emit("I", "implementation", impl)
    emit("I", "version", sys.version)
    try:
        import sysconfig
        emit("I", "build", sysconfig.get_config_var("CONFIG_ARGS") or "")
    except Exception:
        pass
    emit("I", "gil", gil() if gil else threads == "GIL" if threads else "unknown")


def probe(job):
    """Which set-ups and operations this VM supports, each tried alone in one thread."""
    ns = namespace(make_tokens())
    try:
        exec(job["prelude"], ns)
    except BaseException as e:
        emit("U", "subject", render(X(e)))
        return
    emit("U", "subject", "ok")
    for kind, name, src in job["parts"]:
        emit("B", name)
        try:
            exec(src, ns)
            told = PARTS[kind](ns, job)
        except BaseException as e:
            told = render(X(e))
        emit("U", name, told)


def try_make(ns, job):
    ns["FINAL"](ns["MK"]())
    return "ok"


def try_operation(ns, job):
    """What it raises with every set-up; with one of them it may have nothing to work on."""
    text = "ok"
    for o in made(ns, job["makes"]):
        text = raised(ns["OP"], o)
        if not text:
            return "ok"
    return text


def try_check(ns, job):
    """What it raises for an object that nobody has worked on, or for want of something after one operation."""
    for o in made(ns, job["makes"]):
        text = raised(ns["CHECK"], o)
        if text and not _is_internal(text):
            return text
    for operation in job["operations"]:
        for o in made(ns, [operation + job["makes"][0]]):
            raised(ns["OP"], o)
            text = raised(ns["CHECK"], o)
            if is_missing(text):
                return text
    return "ok"


def made(ns, makes):
    """An object of each set-up that works."""
    for make in makes:
        try:
            exec(make, ns)
            o = ns["MK"]()
        except BaseException:
            continue
        yield o


PARTS = {"make": try_make, "op": try_operation, "check": try_check}


def raised(fn, o):
    """The exception's text, "" where there is none."""
    try:
        fn(o)
        return ""
    except BaseException as e:
        return render(X(e))


# Exceptions that say "not on this VM" rather than "not with this object". CPython lacks no method of its own.
MISSING = ("NameError", "NotImplementedError", "ImportError", "ModuleNotFoundError", "SyntaxError")
if getattr(getattr(sys, "implementation", None), "name", None) != "cpython":
    MISSING += ("AttributeError",)


def is_missing(text):
    return text[:1] == "!" and text[1:].split(":")[0] in MISSING


def speed(job):
    """Two spinning threads against one: what the GIL state is, not what it claims to be."""

    def spin(n):
        x = 0
        while n:
            x ^= n
            n -= 1

    n = 2000
    while True:
        t0 = clock()
        spin(n)
        one = clock() - t0
        if one > 0.02:
            break
        n *= 2
    ratios = []
    for _ in range(3):
        t0 = clock()
        spin(n)
        spin(n)
        two = clock() - t0
        w = Worker()
        t0 = clock()
        w.start(spin, (n,), lambda: None)
        spin(n)
        w.wait()
        both = clock() - t0
        w.stop()
        ratios.append(two / both)
    emit("I", "speedup", "%.2f" % sorted(ratios)[1])
    emit("I", "speed", "%.2f" % (n / one / 1e6))
    # Load from other programs spoils the ratio but not this: without a GIL a thread sees the
    # other's counter move between two of its own steps, with one only when they are switched.
    most = 0.0
    for _ in range(8):
        counters = [0, 0]
        moves = [0, 0]

        def count(me, other):
            last, moved, i = 0, 0, 0
            while i < 30000:
                i += 1
                counters[me] = i & 127
                now = counters[other]
                if now != last:
                    last = now
                    moved += 1
            moves[me] = moved

        w = Worker()
        w.start(count, (1, 0), lambda: None)
        count(0, 1)
        w.wait()
        w.stop()
        most = max(most, max(moves) / 30000.0)
        if most > 0.1:
            break  # far above what switching gives
    emit("I", "interleaving", "%.4f" % most)


def modules(job):
    for name in job["modules"]:
        try:
            __import__(name)
            emit("U", name, "ok")
        except BaseException as e:
            emit("U", name, render(X(e)))


def main(job):
    facts()
    if job.get("gil") and hasattr(sys, "setswitchinterval"):
        sys.setswitchinterval(0.00001)
    try:
        import faulthandler
        faulthandler.enable()
    except BaseException:
        pass
    mode = job["mode"]
    if job.get("marks"):
        MARKS.append(1)
    if mode == "probe":
        probe(job)
    elif mode == "vm":
        speed(job)
        modules(job)
    else:
        job["processors"] = processors()
        workers = [Worker() for _ in range(job["threads"] - 1)]
        for spec in job["scenarios"]:
            mark("B", spec["id"])
            try:
                run = Run(spec, job, workers[:len(spec["ops"]) - 1])
            except BaseException as e:
                emit("K", spec["id"], render(X(e)))
                continue
            try:
                run.go()
            except NoSetUp as e:
                emit("K", spec["id"], str(e))
            except BaseException as e:
                # Our own tables hold what the operations returned. If they break, a result changed
                # after it was returned, or memory is corrupt; on a sound VM this does not happen.
                kind = "alone" if run.one_thread_only else "broken"
                run.violation(kind, "a result changed after it was returned, or memory is corrupt: a table of results raised "
                              + type(e).__name__)
                clear = getattr(e, "with_traceback", None)
                if clear:
                    clear(None)
            emit("E", spec["id"])
            wrong = HELD and (run.wrong is None or run.wrong())
            run = None
        gil = getattr(sys, "_is_gil_enabled", None)
        emit("I", "gil_after", gil() if gil else "unknown")
        for w in workers:
            w.stop()
    emit("X")
    if HELD:
        leave(wrong)


def leave(wrong):
    """Ends a schedule, and tells of it where something is wrong."""
    import kit
    held = HELD.pop()
    if wrong:
        sys.stdout.write("".join(held))
        sys.stdout.flush()
    kit.ask(kit.LEAVE, WRONG if wrong else 0)
