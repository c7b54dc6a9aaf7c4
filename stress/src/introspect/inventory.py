# What a VM has that is written in C or Rust: every type and function of its native modules, and what of it the
# operations of subjects reach when each is run once, alone, in one thread.
#
# One portable file, after the harness's and harm.py; the hunter appends `inventory({...})`.
#
# Output: lines "~", letter, fields, tab-separated; other lines are the operations' own.
#   T what                 about to be done
#   N number name          an item: a type `module:name`, or a function `module:name()`
#   O number reason        an item that is not to be tried: why not
#   R number subject       an item that an operation of this subject reaches
#   K subject number why   an operation of a subject that cannot work here; without a number: none of it
#   D                      done
# What the text of an operation that cannot work raises; others may be up to the values that were drawn.
DEAD = ("NameError", "SyntaxError", "IndentationError", "ImportError", "ModuleNotFoundError")
# Names to try where a VM does not list its modules.
LIKELY = ("array binascii builtins cmath collections deflate errno framebuf gc hashlib heapq io json marshal math micropython os "
          "platform random re select socket ssl struct sys time tls uctypes _thread vfs").split()


def tell(*fields):
    text = "\t".join([str(f).replace("\t", " ").replace("\r", " ").replace("\n", " ")[:300] for f in fields])
    sys.stdout.write("\n~\t" + text + "\n")
    flush = getattr(sys.stdout, "flush", None)
    if flush:
        flush()


def why_not(e):
    try:
        return type(e).__name__ + ": " + str(e)
    except BaseException:
        return type(e).__name__


def native_modules():
    """Names of the modules that are no Python text, in order."""
    names = list(getattr(sys, "builtin_module_names", LIKELY))
    known = getattr(sys, "stdlib_module_names", ())
    if known:
        try:
            from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
            for name in known:
                found = name not in names and PathFinder.find_spec(name)
                if found and found.origin and [1 for s in EXTENSION_SUFFIXES if found.origin.endswith(s)]:
                    names.append(name)
        except BaseException:
            pass
    return sorted(set(names))


class Inventory(object):
    def __init__(self, job):
        self.skip = job["skip"]
        self.numbers = {}  # by identity
        self.items = []
        self.reasons = {}
        self.asked = 0

    def about(self, what):
        if what in self.skip:
            return False
        tell("T", what)
        return True

    def add(self, x, name, reason):
        if id(x) not in self.numbers:
            self.numbers[id(x)] = len(self.items)
            self.items.append((x, name))
            self.reasons[len(self.items) - 1] = reason

    def collect(self):
        function = type(len)
        for module in native_modules():
            shun = shunned_module(module)
            if shun in (WITHIN, RAW) or not self.about("import " + module):
                if shun is None:
                    tell("L", module, self.skip["import " + module])
                continue
            try:
                found = __import__(module)
            except BaseException:
                continue
            for name in sorted(dir(found)):
                if name[:2] == "__":
                    continue
                x = getattr(found, name, None)
                whole = module + ":" + name
                if isinstance(x, type):
                    home = sys.modules.get(getattr(x, "__module__", None) or "")
                    if getattr(home, "__file__", None) and str(home.__file__).endswith((".py", ".pyc")) and not self.is_native(x):
                        continue
                    self.add(x, whole, shun or self.plain(x) or SHUNNED_TYPES.get(name))
                elif type(x) is function or type(x).__name__ in ("builtin_function_or_method", "function") and not hasattr(x, "__code__"):
                    self.add(x, whole + "()", shun or shunned_function(module, name))
        for x in self.hidden(object):
            self.add(x, "builtins:" + x.__name__ if getattr(sys.modules["builtins"], x.__name__, None) is x else "%s:%s" % (x.__module__, x.__qualname__),
                     "no module exports it: its instances come from operations only")

    def is_native(self, cls):
        """Whether no method of the class itself is Python text."""
        if "__firstlineno__" in cls.__dict__ or "__static_attributes__" in cls.__dict__:
            return False
        return not [1 for y in cls.__dict__.values() if hasattr(y, "__code__") or hasattr(getattr(y, "__func__", None), "__code__")]

    def plain(self, cls):
        """Why a type need not be tried: it is what its base is, under another name."""
        own = [n for n in getattr(cls, "__dict__", {}) if n not in ("__new__", "__init__", "__doc__", "__module__", "__weakref__", "__dict__", "__reduce__")]
        bases = getattr(cls, "__bases__", ())
        if not own and bases and bases[0] is not object:
            return "as its base %s: nothing of its own" % bases[0].__name__
        return None

    def hidden(self, root):
        """Native types that no module exports, from the tree of subclasses."""
        found, todo = [], [root]
        while todo:
            try:
                below = type.__subclasses__(todo.pop())
            except BaseException:
                break
            for cls in below:
                todo.append(cls)
                # RustPython 0.5.0 panics when it is asked for the names of some.
                self.asked += 1
                if id(cls) in self.numbers or cls in found or not self.about("hidden type %d" % self.asked):
                    continue
                module = getattr(cls, "__module__", None)
                if cls.__name__ and module == "builtins" and self.is_native(cls):
                    found.append(cls)
        return found

    # What operations reach ----------------------------------------------------------------

    def note(self, x, depth=2):
        number = self.numbers.get(id(type(x)))
        if number is not None:
            self.reached.add(number)
        if depth and isinstance(x, (tuple, list)):
            for y in list(x)[:20]:
                self.note(y, depth - 1)
        elif depth and isinstance(getattr(x, "__dict__", None), dict) and not isinstance(x, type):
            for y in list(x.__dict__.values())[:20]:
                self.note(y, depth - 1)

    def called(self, frame, event, x):
        """A profile function: what of C is called."""
        if event == "c_call":
            number = self.numbers.get(id(x))
            if number is not None:
                self.reached.add(number)
            elif x is not None:
                number = self.numbers.get(id(type(getattr(x, "__self__", None))))
                if number is not None:
                    self.reached.add(number)

    def seen(self, code, offset, x, first):
        """The same of `sys.monitoring`, which tells of types too."""
        number = self.numbers.get(id(x))
        if number is not None:
            self.reached.add(number)

    def watched(self, fn, *args):
        tools = getattr(sys, "monitoring", None)
        if tools and sys.implementation.name == "cpython":
            tools.use_tool_id(4, "inventory")
            tools.register_callback(4, tools.events.CALL, self.seen)
            tools.set_events(4, tools.events.CALL)
        elif hasattr(sys, "setprofile"):
            sys.setprofile(self.called)
        try:
            return fn(*args)
        finally:
            if tools and sys.implementation.name == "cpython":
                tools.set_events(4, 0)
                tools.free_tool_id(4)
            elif hasattr(sys, "setprofile"):
                sys.setprofile(None)

    def subject(self, name, prelude, parts):
        """Runs the operations of a subject, each alone on a fresh object."""
        self.reached = set()
        ns = namespace(make_tokens())
        try:
            exec(prelude, ns)
        except BaseException as e:
            tell("K", name, "", why_not(e))
            return
        for at, src in enumerate(parts):
            if not self.about("%s %d" % (name, at)):
                continue
            try:
                exec(src, ns)
                o = self.watched(ns["MK"])
                self.note(o)
                result = self.watched(ns["OP"], o)
                self.note(result)
            except BaseException as e:
                self.note(e)
                if type(e).__name__ in DEAD:
                    tell("K", name, at, why_not(e))
            o = result = None
        for number in sorted(self.reached):
            tell("R", number, name)
        self.reached = set()


def inventory(job):
    found = Inventory(job)
    found.collect()
    for number, (x, name) in enumerate(found.items):
        tell("N", number, name)
        if found.reasons[number]:
            tell("O", number, found.reasons[number])
    for name, prelude, parts in job["subjects"]:
        if found.about("subject " + name):
            found.subject(name, prelude, parts)
    tell("D")
