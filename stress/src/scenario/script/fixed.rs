//! The parts of a script that are the same for every scenario, in Python.

/// Values are built at run time: constants live for ever and hide every lifetime fault.
pub(super) const VALUES: &str = r#"
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
pub(super) const SHOW: &str = r#"def show(x):
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

pub(super) const SEQUENTIAL: &str = r#"

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

pub(super) const PARALLEL: &str = r#"def parallel(tasks):
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
pub(super) const ENVIRONMENT: &str = r#"if [1 for name in ENVIRONMENT if os.environ.get(name) != ENVIRONMENT[name]]:
    os.environ.update(ENVIRONMENT)
    os.execv(sys.executable, sys.orig_argv)
"#;

pub(super) const SLOT: &str = r#"

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

pub(super) const EXPLAIN: &str = r#"

# All orders, twice: what differs between the passes is no race and is not compared.
first = [one_order(order) for order in orders(LENS)]
second = [one_order(order) for order in orders(LENS)]
free = set([i for a, b in zip(first, second) for i in range(len(a)) if a[i] != b[i]])


def line(parts):
    return " | ".join(["*" if i in free else part for i, part in enumerate(parts)])


explained = set([line(parts) for parts in first + second])
"#;

pub(super) const STRIDE: &str = r#"

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

pub(super) const COMPARE: &str = r#"

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

pub(super) const COMPARE_MAIN: &str = r#"

turn = 0
while time.time() < deadline:
    if unexplained(*stride(turn)):
        sys.exit(1)
    turn += 1
print("not hit in %d strides" % turn)
"#;

pub(super) const STRIDE_MAIN: &str = r#"

turn = 0
while time.time() < deadline:
    stride(turn)
    turn += 1
print("not hit in %d strides" % turn)
"#;

pub(super) const REST_MAIN: &str = r#"

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
