# Finds the operations of a type, a factory's product or a module by trying them.
#
# One portable file like harness.py, after harm.py, run as `VM FILE` with `main({...})` appended. Everything
# is tried in one thread on a fresh object. A record says what is about to be tried, so that
# a crash or a hang is attributed to it; the hunter then runs the file again without it.
#
# Output: lines "~", letter, fields, tab-separated; other lines are the subject's own.
#   T what                       about to be tried
#   M expression                 a set-up that works
#   F expression                 an observation that works on every set-up
#   O form guarantee operation   an operation that works: get, do or run
#   L what reason                left out
#   P key value                  a property: path, callbacks, keeps, shared, flavours, check
#   E reason                     cannot be a subject
#   D                            done
import sys
import gc
import time

REJECTED = ("TypeError", "AttributeError", "NotImplementedError", "NameError", "ImportError", "ModuleNotFoundError",
            "SyntaxError", "UnboundLocalError", "RecursionError", "MemoryError", "SystemError", "BufferError")
# Small integers, strings, tokens.
SAMPLES = 3
# Operations kept at most; every two of them are tried in a row.
MOST = 64


def emit(*fields):
    text = "\t".join([str(f).replace("\t", " ").replace("\r", " ").replace("\n", " ")[:400] for f in fields])
    sys.stdout.write("\n~\t" + text + "\n")
    flush = getattr(sys.stdout, "flush", None)
    if flush:
        flush()


class Tok(object):
    def __init__(self, n):
        self.n = n

    def __repr__(self):
        return "t%d" % self.n


def literal(j, n):
    return (str(n + 1), "(K+'%s')" % "abcdefgh"[n], "V[%d]" % n)[j]


def fill(template, j):
    """The template with sample j: small integers, strings, tokens; indices 0, -1, 2."""
    out = template
    for letter in "vk":
        for n in range(8):
            out = out.replace("{%s%d}" % (letter, n + 1), literal(j, n))
        out = out.replace("{%s}" % letter, literal(j, 2))
    out = out.replace("{i}", ("0", "-1", "2")[j]).replace("{n}", ("1", "0", "3")[j])
    return out.replace("{b}", ("97", "99", "104")[j])


def why(e):
    try:
        return (type(e).__name__ + ": " + str(e)).strip(": ")
    except BaseException:
        return type(e).__name__


def stable(x, depth=4):
    """Whether x is a plain value that shares nothing with the object and names no address."""
    t = type(x)
    if t in (type(None), bool, int, float, bytes, Tok):
        return True
    if t is str:
        return " at 0x" not in x and "0x7f" not in x
    if t in (tuple, frozenset) and depth:
        for y in x:
            if not stable(y, depth - 1):
                return False
        return True
    return False


def same(a, b):
    return type(a) is type(b) and repr(a) == repr(b)


class Refused(Exception):
    pass


class Explorer(object):
    def __init__(self, job, ns):
        self.ns = ns
        self.skip = job["skip"]
        self.careful = job["careful"] and job["module"]
        # All functions of a module that nobody named, each once.
        whole = self.careful and not job["type"]
        self.most, self.each = (4 * MOST, 1) if whole else (MOST, 4)
        self.makers = []
        self.ops = []
        self.left = {}
        self.module = False
        self.mapping = False
        self.alive = []

    def function(self, head, line):
        """Compiles one operation the way a scenario does: in the namespace of the prelude."""
        space = self.ns
        exec("def %s:\n    %s\n" % (head, line), space)
        return space[head.split("(")[0]]

    def about(self, what):
        if what in self.skip:
            self.left[what] = self.skip[what]
            return False
        emit("T", what)
        return True

    def make(self, maker, j):
        """Defines MK for this set-up and sample, for operations that want a second object."""
        return self.function("MK(N=N, K=K, V=V)", "return " + fill(maker, j))

    def attempt(self, maker, j, template, statement=False):
        """(score, results): 2 worked, 1 refused by the object's state, 0 not an operation."""
        code = fill(template, j)
        what = fill(maker, j) + " -> " + code
        if not self.about(what):
            return 0, None
        try:
            MK = self.make(maker, j)
            fn = self.function("OP(o, N=N, K=K, V=V)", code if statement else "return " + code)
            a, b = MK(), MK()
        except BaseException as e:
            return 0, None
        self.alive = [a, b]
        try:
            results = [fn(a), fn(b)]
            self.alive.append(results)
            again = None
            try:
                again = fn(a)
            except BaseException:
                pass
            self.alive.append(again)
            return 2, results + [again]
        except BaseException as e:
            if type(e).__name__ in REJECTED:
                return 0, None
            return 1, None

    def score(self, template, statement=False):
        """Best score over set-ups; no sample may be rejected outright. Also whether a result is plain."""
        varies = [1 for letter in "vkinb" if "{" + letter in template]
        best, form = 0, "get"
        for maker in self.makers:
            worst_here, best_here = 2, 0
            for j in range(SAMPLES if varies or "{" in maker else 1):
                score, results = self.attempt(maker, j, template, statement)
                worst_here, best_here = min(worst_here, score), max(best_here, score)
                if score == 0:
                    break
                if score == 2:
                    a, b, again = results
                    if not (stable(a) and same(a, b)):
                        form = "run"
            if worst_here:
                best = max(best, best_here)
        return best, ("do" if statement else form)

    def wrap(self, template):
        """A container as result: its plain copy, unless the object hands out the container itself."""
        score, results = self.attempt(self.makers[-1], 0, template)
        if score != 2 or results[0] is results[2]:
            return None
        for kind, wrapper in ((list, "tuple(%s)"), (bytearray, "bytes(%s)"), (dict, "tuple(%s.items())"), (set, "frozenset(%s)")):
            if type(results[0]) is kind:
                score, form = self.score(wrapper % template)
                return wrapper % template if score == 2 and form == "get" else None
        return None

    def is_view(self, template):
        score, results = self.attempt(self.makers[-1], 0, template)
        return score == 2 and type(results[0]) is not tuple and hasattr(results[0], "__len__") and hasattr(results[0], "__iter__") and results[0] is not results[2]

    def grows(self, template, form):
        """Whether an operation multiplies the object: a few hundred turns of it on a shared one never end."""
        try:
            o = self.make(self.makers[-1], 2)()
            before = len(o)
            code = fill(template, 2)  # {n} is 3 there
            fn = self.function("OP(o, N=N, K=K, V=V)", code if form == "do" else "return " + code)
        except BaseException:
            return False
        try:
            for _ in range(14):
                fn(o)
        except BaseException:
            pass
        try:
            return len(o) > before + 1000
        except BaseException:
            return False

    def keep(self, template, form, guarantee="silent"):
        if not self.module and self.about("again " + template) and self.grows(template, form):
            self.left[template] = "it multiplies the object"
            return
        if len(self.ops) < self.most and (form, template) not in [(f, t) for f, _, t in self.ops]:
            if form == "run" and guarantee == "silent" and template.startswith("o"):
                wrapped = self.wrap(template)
                if wrapped:
                    form, template = "get", wrapped
            self.ops.append((form, guarantee, template))
            if form == "run" and guarantee == "silent" and template.startswith("o.") and self.is_view(template):
                self.consider("tuple(%s)" % template, guarantee="composite", least=2)

    def consider(self, template, statement=False, guarantee="silent", least=1, form=None):
        score, found = self.score(template, statement)
        if score >= least:
            self.keep(template, form or found, guarantee)
            return True
        return False

    # Set-ups ------------------------------------------------------------------------------

    def find_makers(self, expression):
        tries = ["", "[{v1}, {v2}, {v3}]", "[({k1}, {v1}), ({k2}, {v2})]", "{{k1}: {v1}, {k2}: {v2}}", "{v1}", "[{b}, {b}, {b}]",
                 "(K+'abc').encode()", "K+'abc'", "4", "iter([{v1}, {v2}, {v3}])", "{v1}, {v2}", "4, 4", "'i', [1, 2, 3]", "None, 3",
                 "len", "len, [{v1}]", "int", "lambda *a: None", "1.5", "object()", "bytearray(8)", "1, 2, 3", "(), 8"]
        reasons = []
        shown = []
        for at, args in enumerate(tries):
            if self.makers and at >= 8:
                break
            maker = "%s(%s)" % (expression, args)
            ok = True
            text = ""
            for j in range(SAMPLES if "{" in args else 1):
                if not self.about("set-up " + fill(maker, j)):
                    ok = False
                    break
                try:
                    a, b = self.make(maker, j)(), self.make(maker, j)()
                    if a is b and not stable(a):
                        emit("P", "shared", "1")
                    if a is None:
                        raise Refused("it gives None")
                    text += repr(a) if stable(repr(a)) else ""
                except BaseException as e:
                    reasons.append("%s(%s) %s" % (expression.split(".")[-1], args, why(e)))
                    ok = False
                    break
            if not ok or (text and text in shown):
                continue
            shown.append(text)
            self.makers.append(maker)
            if len(self.makers) == 2:
                break
        if not self.makers:
            raise Refused("no constructor arguments worked (%s)" % "; ".join(reasons[:3]))

    # Observation --------------------------------------------------------------------------

    def find_final(self, o):
        names = dir(o)
        tries = []
        if "items" in names and "keys" in names:
            tries.append("tuple(o.items())")
        if "isdisjoint" in names and "__iter__" in names:
            tries.append("frozenset(o)")
        tries += ["o.%s()" % n for n in ("getvalue", "tobytes") if n in names]
        if "__next__" in names:
            tries.append("tuple([x for _, x in zip(range(64), o)])")
        elif "__len__" in names:
            tries.append("(len(o), tuple(o))")
        tries += ["tuple(o)", "bytes(o)"]
        if "__dict__" in names and len(getattr(o, "__dict__", ())):
            tries.append("state_of(o.__dict__)")
        slots = []
        for cls in getattr(type(o), "__mro__", ()):
            found = cls.__dict__.get("__slots__", ())
            slots += [found] if type(found) is str else list(found)
        slots = [s for s in slots if s[:2] != "__"]
        if slots:
            tries.append("state_of((%s,))" % ", ".join(["getattr(o, '%s', None)" % s for s in slots]))
        plain = self.plain_attributes(o)
        tries += ["repr(o)"]
        if plain:
            tries.append("(%s,)" % ", ".join(["o." + p for p in plain]))
        tries += ["len(o)"]
        for final in tries:
            score, form = self.score(final)
            if score == 2 and form == "get":
                return final
        return "None"

    def plain_attributes(self, o):
        found = []
        for name in dir(o):
            if name[:1] != "_" and self.about("attribute " + name):
                try:
                    value = getattr(o, name)
                    if not callable(value) and stable(value):
                        found.append(name)
                except BaseException:
                    pass
        return found[:6]

    # Operations ---------------------------------------------------------------------------

    def arguments(self):
        """Single arguments by preference: any value, numbers, text, bytes, containers, the like of o."""
        any_value = "{k}" if self.mapping else "{v}"
        rest = ["{{k1}: {v1}}"] if self.mapping else []
        rest += ["{i}", "[{v1}, {v2}]"] + ([] if self.module else ["MK()", "o"])
        return any_value, rest + ["K+'ab'", "(K+'ab').encode()"] + ["bytearray(8)", "(lambda *a: None)", "None"]

    def method(self, call):
        """Operations of one callable: at most four, those that work before those the state refused."""
        any_value, rest = self.arguments()
        scored = []

        def add(args):
            template = "%s(%s)" % (call, args)
            score, form = self.score(template)
            if score:
                scored.append((score, template, form))
            return score

        add("")
        if not add(any_value):
            worked = 0
            for arg in rest:
                if add(arg) == 2:
                    worked += 1
                if worked == 3:
                    break
        two = ["{k}, {v}" if self.mapping else "{v}, {v}", "{i}, {v}", "{n}, {n}", "{v}, {n}", "K+'ab', {v}", "K+'ab', K+'c'",
               "[{v1}, {v2}], {n}", "(K+'ab').encode(), {n}", "(lambda *a: None), {v}"]
        for args in two:
            if add(args):
                break
        if not scored:
            for args in ("{v}, {v}, {v}", "{n}, {n}, {v}", "{n}, {n}, {n}", "None, None, None"):
                if add(args):
                    break
        best = max([s for s, _, _ in scored]) if scored else 0
        for score, template, form in [x for x in scored if x[0] == best][:self.each]:
            self.keep(template, form)
        if not scored:
            self.left.setdefault(call, "no arguments worked")

    def protocols(self, o):
        """The operations behind Python's syntax and the library's protocols."""
        names = dir(o)
        has = lambda *wanted: [w for w in wanted if w in names]
        if has("__len__"):
            self.consider("len(o)")
        if has("__bool__"):
            self.consider("bool(o)")
        if has("__next__"):
            self.consider("next(o)")
        elif has("__iter__", "__getitem__"):
            self.consider("next(iter(o))")
            self.consider("tuple(o)", guarantee="composite")
        if has("__contains__", "__iter__") and not has("__next__"):
            self.consider("{k} in o" if self.mapping else "{v} in o")
        if has("__getitem__"):
            self.consider("o[{k}]" if self.mapping else "o[{i}]")
            self.mapping or self.consider("o[0:2]", least=2)
        if has("__setitem__"):
            self.consider("o[{k}] = {v}", True) if self.mapping else (
                self.consider("o[{i}] = {v}", True) or self.consider("o[{i}] = {b}", True))
            self.mapping or self.consider("o[0:1] = [{v1}, {v2}]", True, least=2) or self.consider("o[0:1] = MK()", True, least=2)
        if has("__delitem__"):
            self.consider("del o[{k}]" if self.mapping else "del o[{i}]", True)
            self.mapping or self.consider("del o[0:2]", True, least=2)
        if has("__reversed__"):
            self.consider("tuple(reversed(o))", guarantee="composite", least=2)
        if has("__add__"):
            self.consider("o + MK()", least=2) or self.consider("o + {n}", least=2)
        if has("__mul__"):
            self.consider("o * {n}", least=2)
        for name in ("__or__", "__and__", "__sub__", "__xor__"):
            if name in names:
                self.consider("o %s MK()" % {"__or__": "|", "__and__": "&", "__sub__": "-", "__xor__": "^"}[name], least=2)
        for name in ("__iadd__", "__ior__", "__iand__", "__isub__", "__imul__"):
            if name in names:
                for arg in ("[{v1}, {v2}]", "MK()", "{n}"):
                    if self.consider("o.%s(%s)" % (name, arg), least=2):
                        break
        if "__call__" in names:
            self.method("o")
        if has("__enter__", "__exit__") == ["__enter__", "__exit__"]:
            self.consider("with o: pass", True, least=2)
            self.consider("o.__enter__()", least=2)
            self.consider("o.__exit__(None, None, None)", least=2)
        cls = type(o)
        own = lambda name: getattr(cls, name, None) is not getattr(object, name, None)
        if own("__eq__"):
            self.consider("o == MK()", least=2)
        if own("__lt__"):
            self.consider("o < MK()", least=2)
        if own("__hash__"):
            self.consider("hash(o)", least=2)
        if own("__repr__"):
            self.consider("repr(o)", guarantee="composite", least=2)
        if own("__sizeof__"):
            self.consider("o.__sizeof__()", least=2, form="run")
        for module in ("copy", "weakref", "gc"):
            try:
                self.ns.setdefault(module, __import__(module))
            except BaseException:
                pass
        self.consider("copy.copy(o)", guarantee="composite", least=2)
        if hasattr(o, "__reduce_ex__"):
            self.consider("o.__reduce_ex__(2)", guarantee="composite", least=2)
        self.consider("weakref.ref(o)", least=2)
        if hasattr(gc, "get_referents"):
            self.consider("gc.get_referents(o)", least=2, form="run")
        if own("__init__") or own("__new__"):
            for maker in list(reversed(self.makers)):
                # Only a plain call of the type says what __init__ takes.
                head = maker.split("(", 1)
                # Again on an object in use it may replace the object's own lock: only the VM must survive.
                if len(head) == 2 and self.is_type and self.consider("o.__init__(" + head[1], guarantee="composite", least=2, form="run"):
                    break

    def attributes(self, o):
        """Data descriptors of the type; what an instance's own dict holds is not its interface."""
        cls = type(o)
        for name in dir(o):
            if name[:1] == "_" or not self.about("attribute " + name):
                continue
            try:
                value = getattr(o, name)
            except BaseException:
                continue
            descriptor = getattr(cls, name, None)
            if callable(value) or not hasattr(type(descriptor), "__get__"):
                continue
            self.consider("o." + name, least=2)
            if hasattr(type(descriptor), "__set__"):
                new = {int: "{n}", bool: "bool({n})", str: "K+'a'", float: "1.5", bytes: "(K+'a').encode()", list: "[{v1}]"}
                self.consider("o.%s = %s" % (name, new.get(type(value), "{v}")), True, least=2)
                self.consider("del o." + name, True, least=2)

    def methods(self, o):
        for name in dir(o):
            if name[:1] == "_":
                continue
            careful = self.careful and self.module and shunned_function(self.careful, name)
            if careful or name in HARMFUL or (self.module and name in HARMFUL_FUNCTIONS):
                self.left["o." + name] = careful or "acts on files or processes"
                continue
            if not self.about("attribute " + name):
                continue
            try:
                value = getattr(o, name)
            except BaseException:
                continue
            if callable(value) and not (self.module and type(value) is type):
                self.method("o." + name)

    def pairs(self):
        """Every two operations in a row: one that cannot follow another alone would look like a race."""
        end = time.time() + 5
        for maker in self.makers:
            MK = self.make(maker, 0)
            bodies = []
            for form, guarantee, template in self.ops:
                code = fill(template, 0)
                bodies.append(self.function("OP(o, N=N, K=K, V=V)", code if form == "do" else "return " + code))
            n = len(self.ops)
            for a, b in [(a, a) for a in range(n)] + [(a, b) for a in range(n) for b in range(n) if a != b]:
                first, second = self.ops[a], self.ops[b]
                if not first[2] or not second[2] or time.time() > end:
                    continue
                if not self.about("pair " + first[2] + " ;; " + second[2]):
                    self.left[second[2]] = "after %s, one thread: %s" % (first[2], self.left.pop("pair " + first[2] + " ;; " + second[2]))
                    self.ops[b] = ("", "", "")
                    continue
                o = MK()
                for body in (bodies[a], bodies[b]):
                    try:
                        body(o)
                    except BaseException:
                        pass
        self.ops = [op for op in self.ops if op[2]]

    def keeps(self):
        """Whether one thread alone leaves arguments alive: such a type keeps objects by design."""
        count = getattr(sys, "getrefcount", None)
        if not count:
            return False
        tokens = self.ns["V"]
        self.alive = []
        bodies = []
        for form, guarantee, template in self.ops:
            code = fill(template, 2)
            bodies.append(self.function("OP(o, N=N, K=K, V=V)", code if form == "do" else "return " + code))

        if not self.about("all operations in a row"):
            return True

        def once():
            for maker in self.makers:
                MK = self.make(maker, 2)
                for body in bodies:
                    o = MK()
                    try:
                        body(o)
                    except BaseException:
                        pass
                    o = None
            gc.collect()

        once()
        before = [count(t) for t in tokens]
        once()
        return [count(t) for t in tokens] != before


STATE = """def state_of(x, depth=5):
    if isinstance(x, (type(None), bool, int, float, str, bytes)) or type(x).__name__ == 'Tok':
        return x
    if depth and isinstance(x, (list, tuple)):
        return tuple([state_of(y, depth - 1) for y in x])
    if depth and isinstance(x, (set, frozenset)):
        return tuple(sorted([repr(state_of(y, depth - 1)) for y in x]))
    if depth and isinstance(x, dict):
        return tuple([(state_of(k, depth - 1), state_of(x[k], depth - 1)) for k in list(x)])
    if depth and isinstance(getattr(x, '__dict__', None), dict) and not isinstance(x, type):
        return (type(x).__name__, state_of(x.__dict__, depth - 1))
    return '<' + type(x).__name__ + '>'
"""


def written_in_python(o):
    for name in dir(type(o)):
        if hasattr(getattr(type(o), name, None), "__code__"):
            return True
    return False


def target(job, ns):
    """The object that the user named, imported; also its expression."""
    if job["file"]:
        try:
            exec(job["prelude"], ns)
        except BaseException as e:
            raise Refused("the file does not run: " + why(e))
        if not hasattr(ns["subject"], "make"):
            raise Refused("the file defines no make(); it must return a fresh object to share")
        return None, "subject.make"
    try:
        exec("import " + job["module"], ns)
    except BaseException as first:
        try:
            sys.path.append(job["folder"])
            exec("import " + job["module"], ns)
            emit("P", "path", "1")
        except BaseException:
            raise Refused("module '%s' does not import on this VM (%s)" % (job["module"], why(first)))
    expression = job["module"] + ("." + job["type"] if job["type"] else "")
    found = ns[job["module"].split(".")[0]]
    for part in expression.split(".")[1:]:
        if not hasattr(found, part):
            raise Refused("module '%s' has no '%s'" % (job["module"], job["type"]))
        found = getattr(found, part)
    return found, expression


def explore(job):
    ns = {"Tok": Tok, "V": [Tok(i) for i in range(8)], "N": int("1000"), "K": "".join(["k"]), "__name__": "scenario"}
    exec(STATE, ns)
    found, expression = target(job, ns)
    e = Explorer(job, ns)
    e.is_type = isinstance(found, type)
    e.module = not job["file"] and not job["type"]
    if e.module:
        e.makers = [expression]
        o = found
    elif job["file"]:
        e.makers = ["subject.make()"]
        if not e.about("set-up subject.make()"):
            raise Refused("make() alone: " + e.left["set-up subject.make()"])
        try:
            o = e.make(e.makers[0], 0)()
        except BaseException as error:
            raise Refused("make() fails: " + why(error))
    else:
        if not callable(found):
            raise Refused("'%s' is neither a type nor a function that makes one" % expression)
        e.find_makers(expression)
        o = e.make(e.makers[-1], 0)()
    given = getattr(ns.get("subject"), "operations", None) if job["file"] else None
    if e.module:
        final = "None"
    elif job["file"] and hasattr(ns["subject"], "final"):
        final = "subject.final(o)"
    else:
        final = e.find_final(o)
    if given is not None:
        for code in given:
            if type(code) is not str or "\n" in code:
                raise Refused("operations must be strings of one line, not %r" % (code,))
            emit("O", "given", "silent", code)
        emit("P", "keeps", "0")
        emit("P", "flavours", " ".join(getattr(ns["subject"], "flavours", ("small", "int", "str", "tok"))))
    else:
        if "__setitem__" in dir(o):
            e.mapping = e.score("o[{k}] = {v}", True)[0] == 2
        e.mapping = e.mapping or bool([n for n in ("keys", "setdefault") if n in dir(o)])
        e.methods(o)
        if not e.module:
            e.attributes(o)
            e.protocols(o)
        e.pairs()
        if not e.ops:
            raise Refused("none of its %d public names works as an operation" % len([n for n in dir(o) if n[:1] != "_"]))
        for form, guarantee, template in e.ops:
            emit("O", form, guarantee, template)
        emit("P", "keeps", "1" if e.module or e.keeps() else "0")
        any_value = [t for t in e.makers + [t for _, _, t in e.ops] if "{v" in t or "{k" in t]
        emit("P", "flavours", "small int str tok obj" if any_value else "small int")
    for maker in e.makers:
        emit("M", maker)
    emit("F", final)
    if job["file"] and hasattr(ns["subject"], "check"):
        emit("P", "check", "subject.check(o)")
    emit("P", "callbacks", "1" if e.module or written_in_python(o) else "0")
    for what in e.left:
        emit("L", what, e.left[what])


def main(job):
    try:
        explore(job)
    except Refused as e:
        emit("E", str(e))
    emit("D")
