//! Scenarios whose fault has a known owner.

use threadbare_stress::bytecode::Goal;
use threadbare_stress::scenario::{Call, Context, Scenario, Shape};
use threadbare_stress::subject::{Form, Guarantee};
use threadbare_stress::verdict::Kind;

/// Who must be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Python code, with so many preemptions at least.
    Python { preemptions: u32 },
    /// The VM or an extension: no order of bytecodes gives the outcome.
    Vm,
    /// Undecided: C code calls Python code back, and an order that switches there gives the outcome.
    Called,
}

/// An outcome that real threads could give, and who gives it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub name: &'static str,
    pub prelude: &'static str,
    pub make: &'static str,
    pub threads: &'static [&'static [&'static str]],
    pub observe: &'static str,
    /// `deadlock`, or an outcome.
    goal: &'static str,
    pub expected: Expected,
}

impl Case {
    pub fn scenario(&self) -> Scenario {
        scenario(self.prelude, self.make, self.threads, self.observe)
    }

    pub fn goal(&self) -> Goal {
        if self.goal == "deadlock" {
            Goal::Deadlock
        } else {
            Goal::Outcome(self.goal.to_owned())
        }
    }
}

pub fn named(name: &str) -> &'static Case {
    CASES
        .iter()
        .find(|c| c.name == name)
        .expect("a case of this name")
}

pub fn scenario(prelude: &str, make: &str, threads: &[&[&str]], observe: &str) -> Scenario {
    let call = |code: &&str| Call {
        code: (*code).to_owned(),
        op: (*code).to_owned(),
        form: if code.contains("= ") {
            Form::Run
        } else {
            Form::Get
        },
        guarantee: Guarantee::Silent,
        raises: None,
    };
    Scenario {
        make: make.to_owned(),
        threads: threads
            .iter()
            .map(|calls| calls.iter().map(call).collect())
            .collect(),
        shapes: vec![Shape::Stride],
        company: Vec::new(),
        context: Context {
            subject: "case".into(),
            requires: Vec::new(),
            prelude: prelude.to_owned(),
            observe: observe.to_owned(),
            check: None,
            reset: None,
            raises: Vec::new(),
            keeps: false,
            callbacks: false,
            size: 100,
            source: String::new(),
        },
    }
}

pub const PYTHON: &str = "\
import threading


class Counter(object):
    def __init__(self):
        self.n = 0

    def add(self, k):
        before = self.n
        self.n = before + k


class LockedCounter(object):
    def __init__(self):
        self.n, self.lock = 0, threading.Lock()

    def add(self, k):
        with self.lock:
            before = self.n
            self.n = before + k


class Steps(object):
    def __init__(self):
        self.v = 0

    def step(self):
        a = self.v
        self.v = a + 1
        b = self.v
        self.v = b + 1
        return a, b


class Signal(object):
    def __init__(self):
        self.v = 0

    def send(self):
        self.v = 1
        self.v = 2

    def both(self):
        a = self.v
        b = self.v
        return (a, b) == (1, 2)


class LockedSignal(Signal):
    def __init__(self):
        Signal.__init__(self)
        self.lock = threading.Lock()

    def send(self):
        with self.lock:
            Signal.send(self)

    def both(self):
        with self.lock:
            return Signal.both(self)


class Once(object):
    def __init__(self):
        self.made = []

    def get(self):
        if not self.made:
            self.made.append(1)
        return len(self.made)


class LockedOnce(Once):
    def __init__(self):
        Once.__init__(self)
        self.lock = threading.RLock()

    def get(self):
        with self.lock:
            return Once.get(self)


class Locks(object):
    def __init__(self):
        self.a, self.b = threading.Lock(), threading.Lock()

    def forth(self):
        with self.a:
            with self.b:
                pass

    def back(self):
        with self.b:
            with self.a:
                pass


class Pair(object):
    def __init__(self):
        self.x = self.y = 0

    def put(self, v):
        self.x = v
        self.y = v

    def get(self):
        return self.x, self.y


class LockedPair(Pair):
    def __init__(self):
        Pair.__init__(self)
        self.lock = threading.Lock()

    def put(self, v):
        self.lock.acquire()
        Pair.put(self, v)
        self.lock.release()

    def get(self):
        with self.lock:
            return Pair.get(self)


class Key(object):
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return self.n == other.n
";

/// Each faulty one is followed by its repaired twin: there nothing gives the outcome but a fault below.
pub const CASES: &[Case] = &[
    Case {
        name: "lost update",
        prelude: PYTHON,
        make: "Counter()",
        threads: &[&["o.add(1)"], &["o.add(2)"]],
        observe: "o.n",
        goal: "None | None | 1",
        expected: Expected::Python { preemptions: 1 },
    },
    Case {
        name: "lost update, locked",
        prelude: PYTHON,
        make: "LockedCounter()",
        threads: &[&["o.add(1)"], &["o.add(2)"]],
        observe: "o.n",
        goal: "None | None | 1",
        expected: Expected::Vm,
    },
    Case {
        name: "two preemptions",
        prelude: PYTHON,
        make: "Steps()",
        threads: &[&["o.step()"], &["o.step()"]],
        observe: "o.v",
        goal: "(0, 2) | (1, 2) | 3",
        expected: Expected::Python { preemptions: 2 },
    },
    // Store, read, store, read: with one preemption both values are never seen.
    Case {
        name: "wrong with two preemptions only",
        prelude: PYTHON,
        make: "Signal()",
        threads: &[&["o.send()"], &["o.both()"]],
        observe: "o.v",
        goal: "None | True | 2",
        expected: Expected::Python { preemptions: 2 },
    },
    Case {
        name: "wrong with two preemptions only, locked",
        prelude: PYTHON,
        make: "LockedSignal()",
        threads: &[&["o.send()"], &["o.both()"]],
        observe: "o.v",
        goal: "None | True | 2",
        expected: Expected::Vm,
    },
    Case {
        name: "check then act",
        prelude: PYTHON,
        make: "Once()",
        threads: &[&["o.get()"], &["o.get()"]],
        observe: "o.made",
        goal: "1 | 2 | [1, 1]",
        expected: Expected::Python { preemptions: 1 },
    },
    Case {
        name: "check then act, locked",
        prelude: PYTHON,
        make: "LockedOnce()",
        threads: &[&["o.get()"], &["o.get()"]],
        observe: "o.made",
        goal: "1 | 2 | [1, 1]",
        expected: Expected::Vm,
    },
    Case {
        name: "lock order",
        prelude: PYTHON,
        make: "Locks()",
        threads: &[&["o.forth()"], &["o.back()"]],
        observe: "None",
        goal: "deadlock",
        expected: Expected::Python { preemptions: 1 },
    },
    Case {
        name: "lock order, kept",
        prelude: PYTHON,
        make: "Locks()",
        threads: &[&["o.forth()"], &["o.forth()"]],
        observe: "None",
        goal: "deadlock",
        expected: Expected::Vm,
    },
    Case {
        name: "torn pair",
        prelude: PYTHON,
        make: "Pair()",
        threads: &[&["o.put(1)"], &["o.get()"]],
        observe: "None",
        goal: "None | (1, 0) | None",
        expected: Expected::Python { preemptions: 1 },
    },
    Case {
        name: "torn pair, locked",
        prelude: PYTHON,
        make: "LockedPair()",
        threads: &[&["o.put(1)"], &["o.get()"]],
        observe: "None",
        goal: "None | (1, 0) | None",
        expected: Expected::Vm,
    },
    Case {
        name: "an operation that is itself two steps",
        prelude: "",
        make: "[0]",
        threads: &[&["o[0] += 1"], &["o[0] += 1"]],
        observe: "o",
        goal: "None | None | [1]",
        expected: Expected::Python { preemptions: 1 },
    },
    Case {
        name: "a generator that runs already",
        prelude: "def count():\n    n = 0\n    while True:\n        n = n + len([n])\n        yield n",
        make: "count()",
        threads: &[&["next(o)"], &["next(o)"]],
        observe: "None",
        goal: "1 | !ValueError: generator already executing | None",
        expected: Expected::Python { preemptions: 1 },
    },
    // The list is empty while its items are compared, with a GIL too; the function reads nothing shared.
    Case {
        name: "a list that is being sorted",
        prelude: "",
        make: "[3, 1, 2]",
        threads: &[&["o.sort(key=lambda v: v)"], &["len(o)"]],
        observe: "o",
        goal: "None | 0 | [1, 2, 3]",
        expected: Expected::Called,
    },
    // `list` asks for the length, which sets an item and raises in one call, and goes on without it.
    Case {
        name: "C code that goes on after an exception",
        prelude: "\
class Bag(object):
    def __init__(self):
        self.items, self.d = [1], {}

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        self.d.update([(1, 1), 2])

    def late(self):
        if self.d:
            self.items.append(9)
",
        make: "Bag()",
        threads: &[&["list(o)"], &["o.late()"]],
        observe: "None",
        goal: "[1, 9] | None | None",
        expected: Expected::Python { preemptions: 1 },
    },
    // The shared counter is read before `reduce` goes on, and written after.
    Case {
        name: "a function that C code calls reads",
        prelude: "import functools\nclass Sum(object):\n    n = 0",
        make: "Sum()",
        threads: &[
            &["setattr(o, 'n', functools.reduce(lambda a, b: a + b, [1, 1], o.n))"],
            &["setattr(o, 'n', o.n + 5)"],
        ],
        observe: "o.n",
        goal: "None | None | 2",
        expected: Expected::Python { preemptions: 1 },
    },
    // What the catalogue of known bugs has: each operation is one C call.
    Case {
        name: "bytearray.append loses an item",
        prelude: "",
        make: "bytearray(b'ab')",
        threads: &[&["o.append(99)"], &["o.append(100)"]],
        observe: "bytes(o)",
        goal: "None | None | b'abc'",
        expected: Expected::Vm,
    },
    Case {
        name: "OrderedDict loses an item",
        prelude: "import collections",
        make: "collections.OrderedDict()",
        threads: &[&["o.update({1: 1})"], &["o.update({2: 2})"]],
        observe: "len(o)",
        goal: "None | None | 1",
        expected: Expected::Vm,
    },
    Case {
        name: "itertools.count gives a number twice",
        prelude: "import itertools",
        make: "itertools.count()",
        threads: &[&["next(o)"], &["next(o)"]],
        observe: "None",
        goal: "0 | 0 | None",
        expected: Expected::Vm,
    },
];

/// A fault inside an extension beside its repaired twin, which never gives the outcome.
#[derive(Clone, Copy, Debug)]
pub struct Extension {
    pub name: &'static str,
    pub module: &'static str,
    /// How the faulty object is made, and the repaired one.
    pub makes: &'static [&'static str],
    pub threads: [&'static [&'static str]; 2],
    pub observe: &'static str,
    pub goal: &'static str,
    pub expected: Expected,
}

const ADD: [&[&str]; 2] = [&["o.add(1)"], &["o.add(2)"]];
const POP: [&[&str]; 2] = [&["o.pop()"], &["o.pop()"]];
const APPLY: [&[&str]; 2] = [&["o.apply(lambda n: n + 1)"], &["o.apply(lambda n: n + 2)"]];

/// Built by the tests themselves, with a C compiler.
pub const C_EXTENSIONS: &[Extension] = &[
    Extension {
        name: "C: lost update",
        module: "racyext",
        makes: &["racyext.Tally()", "racyext.Atomic()"],
        threads: ADD,
        observe: "o.value()",
        goal: "None | None | 1",
        expected: Expected::Vm,
    },
    Extension {
        name: "C: a Python function in the middle of a subscript",
        module: "racyext",
        makes: &["racyext.Applied()"],
        threads: [&["o[lambda n: n + 1]"], &["o[lambda n: n + 2]"]],
        observe: "o.value()",
        goal: "None | None | 1",
        expected: Expected::Called,
    },
];

/// Built by `ci/vm/racy-extensions.sh`.
pub const BUILT_EXTENSIONS: &[Extension] = &[
    Extension {
        name: "Cython: lost update",
        module: "racycy",
        makes: &["racycy.Tally()", "racycy.Locked()"],
        threads: ADD,
        observe: "o.value()",
        goal: "None | None | 1",
        expected: Expected::Vm,
    },
    Extension {
        name: "Cython: a Python function in the middle",
        module: "racycy",
        makes: &["racycy.Slot()"],
        threads: APPLY,
        observe: "o.value()",
        goal: "None | None | 1",
        expected: Expected::Called,
    },
    Extension {
        name: "PyO3: lost update",
        module: "racyrs",
        makes: &["racyrs.Tally()", "racyrs.Atomic()"],
        threads: ADD,
        observe: "o.value()",
        goal: "None | None | 1",
        expected: Expected::Vm,
    },
    Extension {
        name: "PyO3: panic",
        module: "racyrs",
        makes: &["racyrs.Panicky()", "racyrs.Steady()"],
        threads: POP,
        observe: "None",
        goal: "1 | !PanicException: an item | None",
        expected: Expected::Vm,
    },
];

/// What tells of the VM's inside, or of damage, and comes of Python code alone: prelude, the faulty object and the
/// repaired one, operations, the check, kind and detail of the failure.
pub struct Alarm {
    pub prelude: &'static str,
    pub makes: [&'static str; 2],
    pub threads: [&'static str; 2],
    pub check: Option<&'static str>,
    pub kind: Kind,
    pub detail: &'static str,
}

pub const ALARMS: &[Alarm] = &[
    Alarm {
        prelude: HALVES,
        makes: ["Halves()", "LockedHalves()"],
        threads: ["o.put()", "o.text()"],
        check: None,
        kind: Kind::Internal,
        detail: "raised UnicodeDecodeError: 'utf-8' codec can't decode byte 0xc3 in position 0: unexpected end of data",
    },
    Alarm {
        prelude: HALVES,
        makes: ["Halves()", "LockedHalves()"],
        threads: ["o.put()", "o.sure()"],
        check: None,
        kind: Kind::Internal,
        detail: "AssertionError: half",
    },
    Alarm {
        prelude: HALVES,
        makes: ["Halves()", "LockedHalves()"],
        threads: ["o.put()", "o.put()"],
        check: Some("len(o.b) == 4"),
        kind: Kind::Corrupt,
        detail: "check gives False",
    },
    Alarm {
        prelude: "import threading
class Alone(object):
    def __init__(self):
        self.inside = False
    def enter(self):
        if self.inside:
            raise SystemError('two inside')
        self.inside = True
        self.inside = False
class Locked(Alone):
    def __init__(self):
        Alone.__init__(self)
        self.lock = threading.Lock()
    def enter(self):
        with self.lock:
            Alone.enter(self)
",
        makes: ["Alone()", "Locked()"],
        threads: ["o.enter()", "o.enter()"],
        check: None,
        kind: Kind::Internal,
        detail: "SystemError: two inside",
    },
];

/// A letter of two bytes is written one by one.
pub const HALVES: &str = "\
import threading
class Halves(object):
    def __init__(self):
        self.b, self.lock = b'', threading.RLock()
    def put(self):
        self.b = self.b + b'\\xc3'
        self.b = self.b + b'\\xa9'
    def text(self):
        return self.b.decode()
    def sure(self):
        assert len(self.b) != 1, 'half'
class LockedHalves(Halves):
    def put(self):
        with self.lock:
            Halves.put(self)
    def text(self):
        with self.lock:
            return Halves.text(self)
    def sure(self):
        with self.lock:
            Halves.sure(self)
";

/// Scenarios of which the search must say that it cannot decide: prelude, make, operations, and the word for why.
pub const UNDECIDED: &[(&str, &str, &str, &str, &str)] = &[
    (
        "import queue",
        "queue.SimpleQueue()",
        "o.put(1)",
        "o.get()",
        "inside the VM",
    ),
    (
        "def spin(o):\n    for _ in range(3000):\n        if o:\n            return 1",
        "[]",
        "o.append(1)",
        "spin(o)",
        "in a row",
    ),
    (
        "import _thread",
        "[]",
        "_thread.start_new_thread(len, ((),))",
        "o.append(1)",
        "starts a thread",
    ),
    (
        "import itertools\nC = itertools.count()\ndef odd(o):\n    if next(C) % 3:\n        o.append(1)\n    return 0",
        "[]",
        "odd(o)",
        "odd(o)",
        "does not repeat",
    ),
    (
        "import weakref\nclass K(object):\n    pass",
        "[K()]",
        "weakref.ref(o[0])() is None",
        "o.clear()",
        "collector",
    ),
    // The same where no name tells it: a generator dies in its middle, C code calls a method as an object dies.
    (
        "def gen(l):\n    try:\n        yield 1\n    finally:\n        l.append(1)\nclass Held(object):\n    def __init__(self):\n        self.l = []\n        self.g = gen(self.l)\n        next(self.g)\n    def drop(self):\n        self.g = None",
        "Held()",
        "o.drop()",
        "len(o.l)",
        "collector",
    ),
    (
        "import io\nclass Closed(io.RawIOBase):\n    def __init__(self, l):\n        self.l = l\n    def close(self):\n        self.l.append(1)\nclass Held(object):\n    def __init__(self):\n        self.l = []\n        self.f = Closed(self.l)\n    def drop(self):\n        self.f = None",
        "Held()",
        "o.drop()",
        "len(o.l)",
        "collector",
    ),
];

/// A way to look into an object, and what it then gives as `v`.
pub type Look = (&'static str, &'static str);

/// What an object is at first, what changes it, and ways to look into it.
pub type Reads = (&'static str, &'static str, &'static [Look]);

/// Every bytecode that reads more than the frame's own.
pub const READS: &[Reads] = &[
    (
        "[0, 1]",
        "self.x.append(2)",
        &[
            ("v = len(x)", "3"),
            ("v = x[-1]", "2"),
            ("v = len(x[0:9])", "3"),
            ("v = len(x + [7])", "4"),
            ("v = len(x * 2)", "6"),
            ("w = [5]; w += x; v = len(w)", "4"),
            ("a, b, *c = x; v = len(c)", "1"),
            ("v = len([*x])", "3"),
            ("v = len({*x})", "3"),
            ("v = len([i for i in x])", "3"),
            ("v = len(f'{x}')", "9"),
            ("v = len('%s' % x)", "9"),
            ("v = x == [0, 1]", "False"),
            ("v = x < [0, 1, 1]", "False"),
            ("v = 2 in x", "True"),
            ("v = (lambda *a: len(a))(*x)", "3"),
        ],
    ),
    (
        "[]",
        "self.x.append(2)",
        &[
            ("v = 1 if x else 0", "1"),
            ("v = not x", "False"),
            ("v = len(x or 'none')", "1"),
            ("v = [i for i in 'a' if x] != []", "True"),
        ],
    ),
    (
        "{}",
        "self.x['z'] = 5",
        &[
            ("v = 'z' in x", "True"),
            ("v = len({**x})", "1"),
            ("v = len(x | {})", "1"),
            ("v = (lambda **a: len(a))(**x)", "1"),
            ("v = 1 if x else 0", "1"),
        ],
    ),
    (
        "set()",
        "self.x.add(9)",
        &[("v = len(x | {1})", "2"), ("v = x <= {1}", "False")],
    ),
    (
        "bytearray(b'y')",
        "self.x.extend(b'z')",
        &[("v = len(x + b'')", "2"), ("v = b'z' in x", "True")],
    ),
    (
        "lambda: x.__dict__.get('z', 0)",
        "self.x.z = 5",
        &[
            ("v = hasattr(x, 'z')", "True"),
            ("v = getattr(x, 'z', 0)", "5"),
        ],
    ),
];

/// What stands outside the class, how it begins, how it is read, and how it is written.
pub const HIDDEN_WRITES: &[(&str, &str, &str, &str)] = &[
    ("put = setattr", "self.n = 0", "self.n", "put(self, 'n', 5)"),
    (
        "import functools\nput = functools.partial(setattr)",
        "self.put = functools.partial(put, self, 'n'); self.put(0)",
        "self.n",
        "self.put(5)",
    ),
    (
        "import operator\nput = operator.methodcaller('__setattr__', 'n', 5)",
        "self.n = 0",
        "self.n",
        "put(self)",
    ),
    (
        "import types\nclass Space(types.SimpleNamespace): pass\nfill = types.SimpleNamespace.__init__",
        "self.space = Space(n=0)",
        "self.space.n",
        "fill(self.space, n=5)",
    ),
    (
        "class Kept(object): pass\nput = setattr",
        "Kept.n = 0",
        "Kept.n",
        "put(Kept, 'n', 5)",
    ),
    (
        "n = 0\nnames = globals()\nput = dict.__setitem__",
        "put(names, 'n', 0)",
        "n",
        "put(names, 'n', 5)",
    ),
    // There and back: what is written is read in between only.
    (
        "put = setattr",
        "self.n = 0",
        "self.n",
        "put(self, 'n', 5); put(self, 'n', 0)",
    ),
];

/// What a thread puts another does not see, however long ago; beside it the repaired one.
pub const LATE: &str = "\
import _thread
class Own(object):
    def __init__(self):
        self.lists = {}
    def mine(self):
        return self.lists.setdefault(_thread.get_ident(), [])
    def put(self):
        self.mine().append(1)
    def count(self):
        return len(self.mine())
class Shared(Own):
    def mine(self):
        return self.lists.setdefault(0, [])
";
