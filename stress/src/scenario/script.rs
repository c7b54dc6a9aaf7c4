//! A finding as a stand-alone Python script that needs only the VM.
//!
//! It does what the harness does, with nothing adaptive in it: the sequential outcomes
//! first, then the race in the shape that showed it, until it hits or the time is over.

use super::render::{make, observe, prelude, quote};
use super::tuning::Tuning;
use super::{Scenario, Shape};
use crate::subject::Form;
use crate::verdict::Kind;
use std::fmt::Write as _;

/// What the head of a script says.
pub struct Head<'a> {
    /// Kind of failure, which decides what counts as a hit.
    pub kind: Kind,
    /// VM it was found on.
    pub vm: &'a str,
    /// What was seen.
    pub detail: &'a str,
    /// Why it must not be.
    pub why: &'a str,
    /// Whether threads go without waiting for each other: where one runs at a time spinning would
    /// only waste its turns, and a sanitizer would report the plain reads that it is made of.
    pub gil: bool,
    /// How it differs from the usual script.
    pub tuning: &'a Tuning,
}

/// The script of a scenario.
pub fn script(scenario: &Scenario, head: &Head) -> String {
    let mut out = String::new();
    let subject = &scenario.context.subject;
    let _ = writeln!(out, "# {subject}: {} on {}", head.kind, head.vm);
    for text in [&scenario.to_string(), head.detail, head.why] {
        for line in wrap(text) {
            let _ = writeln!(out, "# {line}");
        }
    }
    out += "#\n# Usage: VM repro.py [SECONDS]   exit 1: hit (a crash ends it by itself), 0: not hit in SECONDS (default 30)\n";
    if matches!(head.kind, Kind::DataRace | Kind::Sanitizer) {
        out += "# The sanitizer's report on stderr is the hit: run it on a VM compiled with that sanitizer, with setarch -R\n\
                # and, for races, TSAN_OPTIONS=history_size=7.\n";
    }
    out += "import gc\nimport sys\nimport time\n";
    out += "try:\n    import _thread\nexcept ImportError:\n    import thread as _thread\n";
    out += "try:\n    import faulthandler\n    faulthandler.enable()\nexcept Exception:\n    faulthandler = None\n";
    let tuning = head.tuning;
    if !tuning.environment.is_empty() {
        let pairs = tuning.environment.iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{}: {}", quote(name), quote(value)))
            .collect();
        let _ = writeln!(out, "import os\nENVIRONMENT = {{{}}}", pairs.join(", "));
        out += ENVIRONMENT;
    }
    if head.gil {
        let seconds = tuning.switch_interval.unwrap_or(0.00001);
        let _ = writeln!(
            out,
            "if hasattr(sys, 'setswitchinterval'):\n    sys.setswitchinterval({seconds})"
        );
    }
    let shape = scenario.shapes.first().copied().unwrap_or(Shape::Stride);
    let at_rest = matches!(head.kind, Kind::Refcount | Kind::Leak);
    let compare = shape == Shape::Stride
        && matches!(
            head.kind,
            Kind::Outcome | Kind::Exception | Kind::Internal | Kind::Uninitialised | Kind::Corrupt
        );
    out += VALUES;
    if compare {
        out += SHOW;
    }
    out += &prelude(&scenario.context.requires, &scenario.context.prelude);
    out += "\n\n";
    out += &make(&scenario.make);
    out += "\n\n";
    if compare {
        out += &observe(&scenario.context.observe);
        out += "\n\n";
    }
    for t in 0..scenario.threads.len() {
        out += &if shape == Shape::Slot {
            slot_thread(scenario, t)
        } else {
            stride_thread(scenario, t, head.gil)
        };
        out += "\n\n";
    }
    out += PARALLEL;
    let _ = write!(
        out,
        "\n\nTHREADS = [{}]\n",
        names("thread", scenario.threads.len())
    );
    if shape == Shape::Slot {
        let masks = tuning.replace.map_or_else(
            || "3, 15, 63, 255".to_owned(),
            |n| format!("{},", n.max(1) - 1),
        );
        let turns = tuning.turns.unwrap_or(4000);
        let _ = write!(out, "TURNS = {turns}\nMASKS = ({masks})\n");
        return out + SLOT + if at_rest { REST_MAIN } else { STRIDE_MAIN };
    }
    let lens: Vec<String> = scenario.lens().iter().map(usize::to_string).collect();
    let size = tuning.objects.unwrap_or(scenario.context.size.min(2000));
    let first = tuning.objects.unwrap_or(100);
    let lags = tuning
        .lag
        .map_or_else(|| "0, 2, 6, 16, 40".to_owned(), |n| format!("{n},"));
    let _ = write!(
        out,
        "LENS = [{}]\nFIRST, SIZE = {first}, {size}\nLAGS = ({lags})\n",
        lens.join(", "),
    );
    if compare {
        out += &sequential(scenario);
        let check = scenario.context.check.as_deref().unwrap_or("True");
        let _ = write!(
            out,
            "\n\ndef check(o, N=N, K=K, V=V):\n    return {check}\n"
        );
        out += EXPLAIN;
    }
    out += STRIDE;
    if compare {
        out += COMPARE;
    }
    out += if at_rest {
        REST_MAIN
    } else if compare {
        COMPARE_MAIN
    } else {
        STRIDE_MAIN
    };
    out
}

fn names(prefix: &str, n: usize) -> String {
    (0..n)
        .map(|t| format!("{prefix}{t}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("never empty");
        if !last.is_empty() && last.len() + word.len() > 100 {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

/// Values are built at run time: constants live for ever and hide every lifetime fault.
const VALUES: &str = r#"
N = int("1000")
K = "".join(["k"])
ALARM = ("SystemError", "MemoryError", "InternalError", "AssertionError", "UnicodeDecodeError")


class Tok(object):
    def __init__(self, n):
        self.n = n


V = [Tok(i) for i in range(8)]


def tidy(text):
    for t in V:
        text = text.replace(repr(t), "t%d" % t.n)
    while "Tok object at " in text:
        head, tail = text.split("Tok object at ", 1)
        text = head[:head.rfind("<")] + "t?" + tail[tail.find(">") + 1:]
    return text


def error(e):
    name = type(e).__name__
    if name in ("StopIteration", "IndexError", "KeyError", "AttributeError"):
        return "!" + name
    return "!" + name + ": " + tidy(str(e))[:160]


"#;

/// Rendering of outcomes that no address and no hash order can change.
const SHOW: &str = r#"def show(x):
    if isinstance(x, (set, frozenset)):
        return type(x).__name__ + "{" + ", ".join(sorted([show(y) for y in x])) + "}"
    if isinstance(x, str) and x[:1] == "!":
        return x
    if type(x) is Tok:
        return "t%d" % x.n
    if type(x) in (tuple, list):
        return ("[%s]" if type(x) is list else "(%s)") % ", ".join([show(y) for y in x])
    if type(x) is dict:
        return "{" + ", ".join([show(k) + ": " + show(y) for k, y in x.items()]) + "}"
    if isinstance(x, (type(None), int, float, str, bytes, bytearray, list, dict, complex)):
        return tidy(repr(x))
    return "<" + type(x).__name__ + ">"


"#;

fn stride_thread(scenario: &Scenario, t: usize, gil: bool) -> String {
    let others: Vec<usize> = (0..scenario.threads.len()).filter(|&u| u != t).collect();
    let calls = &scenario.threads[t];
    let results = (0..calls.len())
        .map(|j| format!("r{j}"))
        .collect::<Vec<_>>()
        .join(", ");
    let waits = others
        .iter()
        .map(|u| format!("w{u}"))
        .collect::<Vec<_>>()
        .join(", ");
    let mut out =
        format!("def thread{t}(objects, arrived, spin, {waits}, {results}, N=N, K=K, V=V):\n");
    out += "    for i in range(len(objects)):\n        o = objects[i]\n        arrived[i] = 1\n";
    if !gil {
        let wait = others
            .iter()
            .map(|u| format!("w{u}[i] is None"))
            .collect::<Vec<_>>()
            .join(" or ");
        let _ = writeln!(out, "        while {wait}:\n            pass");
    }
    out += "        j = spin[i]\n        while j:\n            j -= 1\n";
    for (j, call) in calls.iter().enumerate() {
        let line = match call.form {
            Form::Get => format!("r{j}[i] = {}", call.code),
            Form::Do | Form::Run => call.code.clone(),
        };
        let _ = write!(
            out,
            "        try:\n            {line}\n        except BaseException as e:\n            r{j}[i] = error(e)\n"
        );
    }
    out
}

fn slot_thread(scenario: &Scenario, t: usize) -> String {
    let mut out = format!(
        "def thread{t}(slot, n, mask, alarms, N=N, K=K, V=V):\n    for i in range(1, n):\n        o = slot[0]\n"
    );
    for call in &scenario.threads[t] {
        let _ = write!(
            out,
            "        try:\n            {}\n        except StopIteration:\n            slot[0] = MK()\n        \
             except BaseException as e:\n            if type(e).__name__ in ALARM and len(alarms) < 8:\n                \
             alarms.append(error(e))\n",
            call.code
        );
    }
    out + "        if not i & mask:\n            slot[0] = MK()\n"
}

/// The specification: every order of the same operations, run on one thread of the same VM.
fn sequential(scenario: &Scenario) -> String {
    let mut out = String::new();
    let mut rows = Vec::new();
    for (t, calls) in scenario.threads.iter().enumerate() {
        let mut row = Vec::new();
        for (j, call) in calls.iter().enumerate() {
            out += "\n\n";
            out += &super::render::body(&format!("op{t}_{j}"), call.form, &call.code);
            row.push(format!("op{t}_{j}"));
        }
        rows.push(format!("[{}]", row.join(", ")));
    }
    let _ = write!(out, "\n\nOPERATIONS = [{}]\n", rows.join(", "));
    out + SEQUENTIAL
}

const SEQUENTIAL: &str = r#"

def orders(left):
    if not any(left):
        yield ()
    for t in range(len(left)):
        if left[t]:
            for rest in orders(left[:t] + [left[t] - 1] + left[t + 1:]):
                yield (t,) + rest


def outcome(results, o):
    try:
        end = FINAL(o)
    except BaseException as e:
        end = error(e)
    return [show(r) for r in results] + [show(end)]


def one_order(order):
    o = MK()
    results = [[None] * len(row) for row in OPERATIONS]
    at = [0] * len(OPERATIONS)
    for t in order:
        try:
            results[t][at[t]] = OPERATIONS[t][at[t]](o)
        except BaseException as e:
            results[t][at[t]] = error(e)
        at[t] += 1
    return outcome([r for row in results for r in row], o)
"#;

const PARALLEL: &str = r#"def parallel(tasks):
    """Runs the first task here and the others in threads of their own."""
    done = [_thread.allocate_lock() for _ in tasks[1:]]

    def run(fn, args, lock):
        try:
            fn(*args)
        finally:
            lock.release()

    for lock, (fn, args) in zip(done, tasks[1:]):
        lock.acquire()
        _thread.start_new_thread(run, (fn, args, lock))
    tasks[0][0](*tasks[0][1])
    for lock in done:
        lock.acquire()


seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
deadline = time.time() + seconds
if hasattr(faulthandler, "dump_traceback_later"):
    faulthandler.dump_traceback_later(seconds + 10, exit=True)  # a hang ends with every thread's stack
"#;

/// The VM reads its environment as it starts, so the script starts it once more.
const ENVIRONMENT: &str = r#"if [1 for name in ENVIRONMENT if os.environ.get(name) != ENVIRONMENT[name]]:
    os.environ.update(ENVIRONMENT)
    os.execv(sys.executable, sys.orig_argv)
"#;

const SLOT: &str = r#"

def stride(turn):
    """No barrier at all: every thread works on what the slot holds, any of them replaces it."""
    slot = [MK()]
    alarms = [[] for _ in THREADS]
    parallel([(fn, (slot, TURNS, MASKS[turn % len(MASKS)], a)) for fn, a in zip(THREADS, alarms)])
    for a in alarms:
        for text in a:
            print("hit: raised " + text)
            sys.exit(1)
"#;

const EXPLAIN: &str = r#"

# All orders, twice: what differs between the passes is no race and is not compared.
first = [one_order(order) for order in orders(LENS)]
second = [one_order(order) for order in orders(LENS)]
free = set([i for a, b in zip(first, second) for i in range(len(a)) if a[i] != b[i]])


def line(parts):
    return " | ".join(["*" if i in free else part for i, part in enumerate(parts)])


explained = set([line(parts) for parts in first + second])
"#;

const STRIDE: &str = r#"

def fill(objects):
    for i in range(len(objects)):
        objects[i] = MK()


def stride(turn):
    """All threads walk over the same fresh objects, in step, shifted by a few loop turns."""
    n = min(SIZE, FIRST + 200 * turn)
    objects = [None] * n
    if turn % 3 == 2:
        parallel([(int, ()), (fill, (objects,))])  # objects that another thread owns
    else:
        fill(objects)
    arrived = [[None] * n for _ in THREADS]
    results = [[[None] * n for _ in range(k)] for k in LENS]
    tasks = []
    for t, fn in enumerate(THREADS):
        late = LAGS[turn // 2 % len(LAGS)] if t == turn % 2 else 0
        spin = [(i * 7919) % (late + 1) for i in range(n)]
        others = [arrived[u] for u in range(len(THREADS)) if u != t]
        tasks.append((fn, [objects, arrived[t], spin] + others + results[t]))
    parallel(tasks)
    return objects, results
"#;

const COMPARE: &str = r#"

def unexplained(objects, results):
    for i in range(len(objects)):
        text = line(outcome([r[i] for row in results for r in row], objects[i]))
        if text not in explained or check(objects[i]) is not True:
            print("hit:       " + text)
            for one in sorted(explained):
                print("explained: " + one)
            return True
    return False
"#;

const COMPARE_MAIN: &str = r#"

turn = 0
while time.time() < deadline:
    if unexplained(*stride(turn)):
        sys.exit(1)
    turn += 1
print("not hit in %d strides" % turn)
"#;

const STRIDE_MAIN: &str = r#"

turn = 0
while time.time() < deadline:
    stride(turn)
    turn += 1
print("not hit in %d strides" % turn)
"#;

const REST_MAIN: &str = r#"

def at_rest():
    """Reference counts of the long-lived objects, and how many fresh ones are alive."""
    gc.collect()
    counts = [sys.getrefcount(t) for t in V] if hasattr(sys, "getrefcount") else []
    live = [1 for x in gc.get_objects() if type(x) is Tok] if hasattr(gc, "get_objects") else []
    return counts, len(live)


before = at_rest()
turn = 0
while time.time() < deadline:
    stride(turn)
    turn += 1
    if at_rest() != before and at_rest() != before:
        print("hit: at rest counts and live objects are %r, before they were %r" % (at_rest(), before))
        sys.exit(1)
print("not hit in %d strides" % turn)
"#;
