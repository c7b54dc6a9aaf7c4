# Whether some order of bytecodes gives an outcome: the operations of a scenario, one thread at a time.
#
# The last part of a file that begins with values.py, render.py and rest.py, as harness.py does, so that
# an outcome is the same text in both. `explain({...})` is appended with the job.
#
# A *step* is one bytecode that may touch what threads share, with the local ones that follow it. Before
# each step the search may give the turn to another thread; nothing else switches. C code runs inside
# one step, so what no order of steps gives needs two threads inside the VM or an extension at once.
# Executions are repeated from a fresh object (stateless search), those with fewest preemptions first.
#
# Output: one record a line on stdout, tab-separated, first field a letter:
#   I key value                facts: mechanism, steps
#   S outcome                  an outcome of some sequential order
#   O outcome                  an outcome of some order of steps
#   G number schedule preemptions executions replays called    the asked outcome was reached; `called`: by a
#                              switch inside Python code that C code called
#   T thread depth file line text kind piece value place   a step of the interleaving of G, in time order
#   W thread piece text line holder    a deadlock: who waits, at what, for whom
#   R outcome                  what a schedule that was given back gives
#   A all|bound|no what        the search ended: the whole tree, up to a bound, or undecided and why
#   C executions seconds       counters
#   P thread number steps      steps of an operation that do more than look a name up
#   N feature                  what the operations' code does that decides how the answer is read
#   X                          all work done
import os

try:
    import _thread as th
except ImportError:
    th = None

clock = getattr(time, "perf_counter", None) or time.time
spent = getattr(time, "process_time", None) or clock  # of this process: other programs take theirs
SCENARIO = "<scenario>"
# What is asked for is `deadlock`, an outcome, or begins so: an exception that some operation raises, whatever its
# message where that is not given, or what the scenario's check gives once all operations are done.
RAISES, CHECK = "raises ", "check gives "


def emit(*fields):
    text = "\t".join([str(f).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") for f in fields])
    sys.stdout.write(text + "\n")


def leave():
    """Ends the process at once: threads of an execution that was given up may still wait."""
    emit("X")
    if hasattr(os, "_exit"):
        sys.stdout.flush()
        os._exit(0)
    sys.exit(0)


def undecided(why):
    emit("A", "no", why)
    leave()


class Abandon(BaseException):
    """Ends the threads of an execution that cannot or need not go on."""


class WouldBlock(BaseException):
    """A lock that its holder will never release, in one thread."""


# ---- What is a step -------------------------------------------------------------------------------

# Bytecodes that touch only the frame's own names and stack, constants and objects that no other thread
# has. Every other one, also one that this list does not know, is a step.
LOCAL = frozenset(
    """CACHE NOP RESUME NOT_TAKEN PUSH_NULL PRECALL KW_NAMES COPY SWAP ROT_TWO ROT_THREE ROT_FOUR ROT_N
    DUP_TOP DUP_TOP_TWO LOAD_CONST LOAD_CONST_IMMORTAL LOAD_CONST_MORTAL LOAD_SMALL_INT LOAD_FAST
    LOAD_FAST_CHECK LOAD_FAST_LOAD_FAST LOAD_FAST_BORROW LOAD_FAST_BORROW_LOAD_FAST_BORROW LOAD_CLOSURE
    MAKE_CELL COPY_FREE_VARS MAKE_FUNCTION SET_FUNCTION_ATTRIBUTE JUMP_FORWARD JUMP_BACKWARD
    JUMP_BACKWARD_NO_INTERRUPT JUMP_ABSOLUTE BUILD_TUPLE BUILD_LIST BUILD_STRING LIST_APPEND LIST_TO_TUPLE
    RETURN_GENERATOR PUSH_EXC_INFO RERAISE LOAD_ASSERTION_ERROR LOAD_COMMON_CONSTANT LOAD_BUILD_CLASS
    SETUP_FINALLY POP_BLOCK GEN_START""".split()
)
# These let go of a reference. Another thread notices only by a finalizer, a weak reference or a count.
LETTING_GO = frozenset(
    """STORE_FAST STORE_FAST_LOAD_FAST STORE_FAST_STORE_FAST STORE_FAST_MAYBE_NULL LOAD_FAST_AND_CLEAR
    DELETE_FAST POP_TOP POP_ITER END_FOR POP_EXCEPT RETURN_VALUE RETURN_CONST IS_OP POP_JUMP_IF_NONE
    POP_JUMP_IF_NOT_NONE POP_JUMP_FORWARD_IF_NONE POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_BACKWARD_IF_NONE
    POP_JUMP_BACKWARD_IF_NOT_NONE""".split()
)
# These replace what was there, which may die of it; and methods that they call by themselves.
REPLACING = LETTING_GO.union(
    """STORE_ATTR DELETE_ATTR STORE_SUBSCR DELETE_SUBSCR STORE_SLICE STORE_GLOBAL DELETE_GLOBAL STORE_NAME DELETE_NAME
    STORE_DEREF DELETE_DEREF""".split()
)
SETTERS = ("__setattr__", "__delattr__", "__set__", "__delete__", "__setitem__", "__delitem__", "__hash__", "__eq__", "__index__",
           "__getattribute__", "__iter__", "__next__", "__len__")
# What stands before a function's first bytecode of its own.
BEFORE_CODE = ("CACHE", "RESUME", "MAKE_CELL", "COPY_FREE_VARS", "RETURN_GENERATOR", "EXTENDED_ARG", "NOT_TAKEN")
CALLS = ("CALL", "CALL_KW", "CALL_METHOD", "CALL_FUNCTION", "CALL_FUNCTION_KW", "CALL_FUNCTION_EX")
OPERATORS = ("BINARY_SUBSCR", "BINARY_SLICE", "STORE_SUBSCR", "DELETE_SUBSCR", "CONTAINS_OP", "COMPARE_OP", "BINARY_OP")
# Names in executed code from which on the moment of letting go, or another thread's frame, is visible.
LIFETIME = ("weakref", "ref", "proxy", "finalize", "WeakValueDictionary", "WeakKeyDictionary", "WeakSet",
            "WeakMethod", "getrefcount", "__del__", "getweakrefs", "getweakrefcount", "get_objects",
            "get_referrers", "_current_frames", "_getframe", "f_locals")
# Names by which code can write an attribute or a global without a bytecode that names it.
DYNAMIC = ("setattr", "delattr", "__setattr__", "__delattr__", "__dict__", "vars", "globals", "exec", "eval",
           "__setstate__", "__class__", "__code__", "__defaults__", "__kwdefaults__", "__bases__",
           "__globals__", "import_module", "reload")
WRITES = ("STORE_ATTR", "DELETE_ATTR", "STORE_GLOBAL", "DELETE_GLOBAL", "STORE_NAME", "DELETE_NAME")
# Calls and bytecodes that go through a container's elements one after another inside the VM.
WALKS = frozenset(
    """list tuple set frozenset dict bytes bytearray sorted sum min max any all zip map filter enumerate
    reversed iter next update extend join fromkeys copy deepcopy index count remove sort reverse deque
    Counter OrderedDict repr str hash dumps dump fsum prod reduce chain islice union intersection
    difference symmetric_difference issubset issuperset isdisjoint writelines executemany collect
    __reduce__ __reduce_ex__ __repr__ __str__ __eq__ __iter__ __next__ __contains__ __len_hint__""".split()
)
WALKING = ("FOR_ITER", "GET_ITER", "UNPACK_SEQUENCE", "UNPACK_EX", "LIST_EXTEND", "SET_UPDATE", "DICT_UPDATE", "DICT_MERGE",
           "CONTAINS_OP", "COMPARE_OP", "CALL_FUNCTION_EX")


class Turn(object):
    """Given by one thread, taken by another. A pipe: on a busy machine the kernel wakes a reader at
    once, and who waits for a lock some milliseconds later."""

    def __init__(self):
        self.reader, self.writer = os.pipe()

    def give(self):
        os.write(self.writer, b".")

    def take(self):
        os.read(self.reader, 1)


class Decoder(object):
    """Which bytecodes of each code object are steps, under what all executed code may do."""

    def __init__(self, whole):
        import opcode

        self.names = opcode.opname
        self.whole = whole  # no reduction: every bytecode is a step
        self.version = sys.version_info[:2]
        self.kept = {}  # code objects by what stands for them in tables
        self.codes = {}
        self.ends = {}
        self.data = {}  # as it was before it was watched: RustPython shows the bytecodes that watch
        self.written = set()
        self.globals = set()  # names that executed code looks up
        self.dynamic = self.lifetime = self.walks = False

    def of(self, code):
        """What stands for a code object in tables: RustPython's hash of it changes as it is watched."""
        self.kept.setdefault(id(code), code)
        return id(code)

    def instructions(self, code):
        """Offset, name and argument of each bytecode; a prefix EXTENDED_ARG counts as one of its own."""
        data, extended = self.data.get(self.of(code)) or code.co_code, 0
        for at in range(0, len(data), 2):
            name = self.names[data[at]]
            arg = data[at + 1] | extended
            extended = arg << 8 if name == "EXTENDED_ARG" else 0
            yield at, name, arg

    def note(self, code):
        """Takes in a code object before it runs; whether it changes what is a step elsewhere."""
        this = self.of(code)
        if this in self.codes:
            return False
        self.data[this] = code.co_code
        before = len(self.written), self.dynamic, self.lifetime
        todo = [code]
        while todo:
            c = todo.pop()
            todo.extend([k for k in c.co_consts if type(k) is type(code)])
            names = set(c.co_names)
            self.dynamic = self.dynamic or not names.isdisjoint(DYNAMIC)
            self.lifetime = self.lifetime or c.co_name == "__del__" or not names.isdisjoint(LIFETIME)
            for _, name, arg in self.instructions(c):
                if name in WRITES:
                    self.written.add(c.co_names[arg])
                elif name in ("LOAD_GLOBAL", "LOAD_NAME"):
                    self.globals.add(self.looked_up(c, name, arg))
                elif name in ("IMPORT_STAR", "CALL_INTRINSIC_1") and c.co_name == "<module>":
                    self.dynamic = True
        self.codes[this] = None
        return before != (len(self.written), self.dynamic, self.lifetime)

    def handles(self, code):
        """Whether code has handlers or `finally`, which run where its generator dies in the middle."""
        return [1 for _, name, _ in self.instructions(code) if name == "PUSH_EXC_INFO" or name.startswith("SETUP_")] != []

    def steps(self, code):
        """Offsets of the steps of a code object that was noted."""
        known = self.codes.get(self.of(code))
        if known is None:
            known = self.codes[self.of(code)] = frozenset(self.find(code))
            names = [name for _, name, _ in self.instructions(code)]
            self.walks = self.walks or bool([n for n in names if n in WALKING]) or not WALKS.isdisjoint(code.co_names)
        return known

    def edges(self, code):
        """Offsets where a code object begins or ends to run: after each RESUME, and returns."""
        known = self.ends.get(self.of(code))
        if known is None:
            found, begins = set(), True
            for at, name, _ in self.instructions(code):
                if begins and name not in BEFORE_CODE:
                    found.add(at)
                    begins = False
                if name in ("RESUME", "YIELD_VALUE"):
                    begins = True
                if name in ("RETURN_VALUE", "RETURN_CONST"):
                    found.add(at)
            known = self.ends[self.of(code)] = frozenset(found)
        return known

    def find(self, code):
        prefixes = []
        for at, name, arg in self.instructions(code):
            if name == "EXTENDED_ARG":
                prefixes.append(at)
                continue
            if self.is_step(code, name, arg):
                # Some versions report a bytecode at its prefix.
                for p in prefixes:
                    yield p
                yield at
            prefixes = []

    def is_step(self, code, name, arg):
        if self.whole:
            return name != "CACHE"
        if name in LOCAL:
            return False
        if name in LETTING_GO:
            return self.lifetime
        if name.startswith("POP_JUMP") and self.version >= (3, 13):
            return False  # of a bool, which TO_BOOL made
        if name in ("LOAD_GLOBAL", "LOAD_NAME") and not self.dynamic:
            # No executed code names a global of this name as written.
            return self.looked_up(code, name, arg) in self.written
        return True

    def looked_up(self, code, name, arg):
        """The name that such a bytecode looks up."""
        return code.co_names[arg >> 1 if name == "LOAD_GLOBAL" and self.version >= (3, 11) else arg]

    def effects(self, code):
        """Offsets of the bytecodes that do more than look a name up."""
        return frozenset([at for at, name, _ in self.instructions(code) if not name.startswith("LOAD_")])

    def again(self):
        """What is a step is found anew, by all that is known now."""
        for this in self.codes:
            self.codes[this] = None


# ---- Watching threads bytecode by bytecode --------------------------------------------------------


class Monitoring(object):
    """`sys.monitoring` (CPython >= 3.12, with and without a GIL; RustPython >= 0.5)."""

    name = "sys.monitoring"

    def __init__(self, search):
        self.search, self.m = search, sys.monitoring
        for self.tool in (4, 3, 5, 0, 1, 2):
            if self.m.get_tool(self.tool) is None:
                break
        self.m.use_tool_id(self.tool, "threadbare")
        self.instruction = self.m.events.INSTRUCTION
        self.starts = self.m.events.PY_START | self.m.events.PY_RESUME | self.m.events.PY_UNWIND
        self.m.register_callback(self.tool, self.m.events.PY_START, self.started)
        self.m.register_callback(self.tool, self.m.events.PY_RESUME, self.started)
        self.m.register_callback(self.tool, self.m.events.PY_UNWIND, self.unwound)
        throw = getattr(self.m.events, "PY_THROW", 0)
        if throw:
            self.starts |= throw
            self.m.register_callback(self.tool, throw, self.thrown)
        self.m.register_callback(self.tool, self.instruction, self.before)

    def started(self, code, offset):
        if code.co_filename == OURS:
            return self.m.DISABLE
        if not self.search.operating():
            return None
        self.search.note(code)
        self.m.set_local_events(self.tool, code, self.instruction)
        return self.m.DISABLE

    def thrown(self, code, offset, exception):
        if code.co_filename != OURS and self.search.operating():
            self.search.note(code)
            self.m.set_local_events(self.tool, code, self.instruction)
            if type(exception) is GeneratorExit:
                self.search.closes(code)

    def notice(self, on):
        self.m.set_events(self.tool, self.starts if on else 0)

    def before(self, code, offset):
        search = self.search
        t = search.idents.get(th.get_ident())
        if t is None:
            return None
        if offset not in search.decoder.steps(code) and offset not in search.decoder.edges(code):
            return self.m.DISABLE
        search.arrives(t, code, offset, sys._getframe(1))

    def unwound(self, code, offset, exception):
        search = self.search
        t = search.idents.get(th.get_ident())
        if t is not None and code.co_filename != OURS and type(exception) is not Abandon:
            search.unwinds(t, code, offset, sys._getframe(1))

    def again(self):
        self.m.restart_events()

    def enter(self):
        pass

    def exit(self):
        pass


class Tracing(object):
    """`sys.settrace` with `f_trace_opcodes` (CPython 3.7 to 3.11)."""

    name = "sys.settrace"

    def __init__(self, search):
        self.search = search
        self.raising = {}  # the frame in which a thread has raised, until it takes another bytecode there

    def notice(self, on):
        pass

    def called(self, frame, event, arg):
        if frame.f_code.co_filename == OURS or not self.search.operating():
            return None
        self.search.note(frame.f_code)
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self.inside

    def inside(self, frame, event, arg):
        search = self.search
        t = search.idents.get(th.get_ident())
        code, offset = frame.f_code, frame.f_lasti
        if event == "exception":
            if arg[0] is GeneratorExit:
                search.closes(code)
            self.raising[t] = None if arg[0] is Abandon else frame
        elif event == "return":
            if t is not None and self.raising.pop(t, None) is frame:
                search.unwinds(t, code, offset, frame)
        elif event == "opcode":
            self.raising[t] = None
            if t is not None and (offset in search.decoder.steps(code) or offset in search.decoder.edges(code)):
                search.arrives(t, code, offset, frame)
        return self.inside

    def again(self):
        pass

    def enter(self):
        sys.settrace(self.called)

    def exit(self):
        sys.settrace(None)


def mechanism():
    """What stops threads at bytecodes here; None where nothing does."""
    if getattr(sys, "monitoring", None):
        return Monitoring
    impl = getattr(getattr(sys, "implementation", None), "name", "")
    if impl == "cpython" and sys.version_info >= (3, 7):
        return Tracing
    return None


# ---- What a step reads and writes, for the reader of an interleaving ------------------------------

UNKNOWN = Exc("?")
FUNCTION = type(mechanism)
# Descriptors of a type whose lookup reads nothing of the object.
METHODS = ("method_descriptor", "wrapper_descriptor", "classmethod_descriptor", "builtin_function_or_method")


class Source(object):
    """The source that bytecodes stand for, and the objects that it names."""

    def __init__(self, search):
        # Before locks are replaced and code is watched.
        global ast, dis, linecache
        import ast, dis, linecache

        self.search = search
        self.sources = {SCENARIO: search.job["src"].split("\n")}
        self.places = {}
        self.nodes = {}
        self.passed, self.globals = {}, []

    def begin(self):
        """An execution begins: nothing was passed over yet, and globals are as they are."""
        self.passed = {}
        names = self.search.decoder.globals - self.search.decoder.written
        self.globals = [(n, self.search.ns[n]) for n in names if n in self.search.ns]

    def holds(self):
        """Whether what was passed over, since no operation's code names it as written, was not written:
        a function got in another way may write what its caller does not name."""
        for owner, name, value in list(self.passed.values()):
            if self.attribute_of(owner, name) is not value:
                return False
        return not [n for n, value in self.globals if self.search.ns.get(n, UNKNOWN) is not value]

    def text(self, code):
        lines = self.sources.get(code.co_filename)
        if lines is None:
            try:
                lines = [l.rstrip("\n") for l in linecache.getlines(code.co_filename)]
            except Exception:
                lines = []
            self.sources[code.co_filename] = lines
        return lines

    def place(self, code, offset):
        """Line, its text, name of the bytecode, and the piece of source that it stands for."""
        where = self.search.decoder.of(code), offset
        known = self.places.get(where)
        if known:
            return known
        lines = self.text(code)
        op, line, piece = "", code.co_firstlineno, ""
        for at, name, _ in self.search.decoder.instructions(code):
            if at >= offset and name != "EXTENDED_ARG":
                op = name
                break
        if hasattr(code, "co_positions"):
            for i, (a, b, c, d) in enumerate(code.co_positions()):
                if i * 2 == offset and a:
                    line = a
                    if a == b and a <= len(lines) and c is not None:
                        piece = lines[a - 1].encode("utf-8")[c:d].decode("utf-8")
                    break
        else:
            for at, l in dis.findlinestarts(code):
                if at <= offset:
                    line = l
        text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        known = self.places[where] = line, text, op, piece
        return known

    def evaluate(self, node, frame):
        """The value of an expression of names, attributes and subscripts, if reading it runs no code."""
        kind = type(node).__name__
        if kind == "Constant":
            return node.value
        if kind == "Name":
            for names in (frame.f_locals, frame.f_globals, getattr(frame, "f_builtins", {})):
                if node.id in names:
                    return names[node.id]
            return UNKNOWN
        if kind == "Attribute":
            owner = self.evaluate(node.value, frame)
            return UNKNOWN if owner is UNKNOWN else self.attribute(owner, node.attr)
        if kind == "Subscript":
            owner, key = self.evaluate(node.value, frame), self.evaluate(node.slice, frame)
            return self.item(owner, key)
        return UNKNOWN

    def attribute(self, owner, name):
        try:
            mine = object.__getattribute__(owner, "__dict__")
            if type(mine) is dict and name in mine:
                return mine[name]
        except Exception:
            pass
        for base in type(owner).__mro__:
            found = base.__dict__.get(name, UNKNOWN)
            if found is not UNKNOWN:
                if type(found).__name__ == "member_descriptor" and base.__flags__ & (1 << 9):
                    try:
                        return found.__get__(owner)
                    except Exception:
                        pass
                return UNKNOWN
        return UNKNOWN

    def item(self, owner, key):
        if type(owner) in (dict, list, tuple) and type(key) in _PLAIN:
            try:
                return owner[key]
            except Exception:
                pass
        return UNKNOWN

    def commutes(self, code, offset, frame):
        """Whether a step, on the objects at hand, reads only what no operation writes: names of methods,
        attributes that are set before, entering a Python function, numbers and strings."""
        decoder = self.search.decoder
        if decoder.whole or decoder.dynamic:
            return False
        where = decoder.of(code), offset
        if where not in self.nodes:
            self.nodes[where] = self.node(code, offset)
        kind, parts = self.nodes[where]
        try:
            if kind == "attribute":
                return self.settled(parts[0], frame) is not UNKNOWN
            if kind == "call":
                return type(self.settled(parts[0], frame)) is FUNCTION
            if kind == "plain":
                return not [p for p in parts if type(self.settled(p, frame)) not in _PLAIN]
        except Exception:
            pass
        return False

    def caller(self, frame):
        """Who called the code of a frame: "python" code, which names it; "c" code that Python code called, and
        which calls back; else the VM, of which it is not known what it read before ("vm")."""
        back = frame.f_back
        if back is None or back.f_code.co_filename == OURS:
            return "python"
        where = self.search.decoder.of(back.f_code), back.f_lasti, "caller"
        if where not in self.nodes:
            self.nodes[where] = self.called(back.f_code, back.f_lasti)
        node = self.nodes[where]
        if node is None:
            return self.operator(frame)
        callee = self.callee(node, back)
        if type(callee) is FUNCTION:
            return "python" if callee.__code__ is frame.f_code else "vm"
        if isinstance(callee, type):
            # A new object, which nobody else has.
            return "python" if frame.f_code.co_name == "__init__" else "vm"
        # What drives a generator or coroutine does nothing of its own between two of its values.
        return "vm" if callee is UNKNOWN or frame.f_code.co_flags & 0x2A0 else "c"

    def operator(self, frame):
        """The same of a bytecode that calls nothing by name: where none of its operands has the function as a method,
        C code of theirs called it, as a dictionary does that compares keys."""
        back = frame.f_back
        if frame.f_code.co_name == "__del__" or frame.f_code.co_flags & 0x2A0:
            return "vm"
        where = self.search.decoder.of(back.f_code), back.f_lasti, "operands"
        if where not in self.nodes:
            self.nodes[where] = self.operands(back.f_code, back.f_lasti)
        for node in self.nodes[where] or ():
            operand = self.evaluate(node, back)
            methods = [f for base in type(operand).__mro__ for f in base.__dict__.values() if type(f) is FUNCTION]
            if operand is UNKNOWN or [f for f in methods if f.__code__ is frame.f_code]:
                return "vm"
        return "c" if self.nodes[where] else "vm"

    def operands(self, code, offset):
        """The expressions of which a bytecode calls methods, where it is an operator or a subscript."""
        _, _, op, piece = self.stands(code, offset)
        if op not in OPERATORS:
            return None
        try:
            node = ast.parse(piece.strip()).body[0]
        except Exception:
            return None
        node = getattr(node, "value", node) if type(node).__name__ == "Expr" else node
        kind = type(node).__name__
        if kind == "Compare" and type(node.ops[0]).__name__ in ("In", "NotIn"):
            return node.comparators[:1]
        return {"Subscript": lambda: [node.value], "Compare": lambda: [node.left] + node.comparators,
                "BinOp": lambda: [node.left, node.right], "AugAssign": lambda: [node.target, node.value]}.get(kind, lambda: None)()

    def is_finaliser(self, frame):
        """Whether code runs because a bytecode that calls nothing let an object go."""
        back = frame.f_back
        if back is None or back.f_code.co_filename == OURS:
            return False
        _, _, op, piece = self.stands(back.f_code, back.f_lasti)
        name = frame.f_code.co_name
        # A property's setter has the name of what is set.
        is_setter = name in SETTERS or op in ("STORE_ATTR", "DELETE_ATTR") and name == piece.rpartition(".")[2]
        return op in REPLACING and not is_setter

    def stands(self, code, offset):
        """The place of the bytecode in which a frame calls; some versions are already past its caches."""
        where = self.search.decoder.of(code), offset, "stands"
        if where not in self.nodes:
            at = [at for at, name, _ in self.search.decoder.instructions(code) if at <= offset and name != "CACHE"]
            self.nodes[where] = self.place(code, at[-1] if at else offset)
        return self.nodes[where]

    def called(self, code, offset):
        """The expression that a call calls."""
        _, _, op, piece = self.stands(code, offset)
        if op not in CALLS:
            return None
        try:
            node = ast.parse(piece.strip(), mode="eval").body
        except Exception:
            return None
        return node.func if type(node).__name__ == "Call" else None

    def callee(self, node, frame):
        """What an expression of names and attributes stands for; a method as its function."""
        if type(node).__name__ != "Attribute":
            return self.evaluate(node, frame)
        owner = self.evaluate(node.value, frame)
        if owner is UNKNOWN:
            return UNKNOWN
        found = self.attribute_of(owner, node.attr)
        if found is UNKNOWN:
            for base in type(owner).__mro__:
                if node.attr in base.__dict__:
                    return base.__dict__[node.attr]
        return found

    def node(self, code, offset):
        _, _, op, piece = self.place(code, offset)
        kind = {"LOAD_ATTR": "attribute", "LOAD_METHOD": "attribute", "CALL": "call", "BINARY_OP": "plain", "COMPARE_OP": "plain"}.get(op)
        if not kind or not piece:
            return "", ()
        try:
            node = ast.parse(piece.strip(), mode="eval").body
        except Exception:
            return "", ()
        name = type(node).__name__
        if kind == "attribute" and name == "Attribute":
            return kind, (node,)
        if kind == "call" and name == "Call":
            return kind, (node.func,)
        if kind == "plain" and name in ("BinOp", "Compare"):
            parts = (node.left, node.right) if name == "BinOp" else tuple([node.left] + node.comparators)
            if len(parts) == 2 and not [p for p in parts if type(p).__name__ not in ("Name", "Constant")]:
                return kind, parts
        return "", ()

    def settled(self, node, frame):
        """The value of an expression that no operation can change; a method as its function."""
        kind = type(node).__name__
        if kind == "Constant":
            return node.value
        written = self.search.decoder.written
        if kind == "Name":
            code = frame.f_code
            if node.id in code.co_varnames:
                return frame.f_locals.get(node.id, UNKNOWN)
            if node.id in written or node.id in code.co_cellvars or node.id in code.co_freevars:
                return UNKNOWN
            return frame.f_globals.get(node.id, UNKNOWN)
        if kind != "Attribute" or node.attr in written:
            return UNKNOWN
        owner = self.settled(node.value, frame)
        if owner is UNKNOWN or type(owner) is FUNCTION:
            return UNKNOWN
        value = self.attribute_of(owner, node.attr)
        if value is not UNKNOWN and not self.search.decoder.lifetime:
            # It is held until the execution ends, which only code of that kind could see.
            self.passed[id(owner), node.attr] = owner, node.attr, value
        return value

    def attribute_of(self, owner, name):
        """The attribute of a plain object, a module or a type, where reading it runs no code."""
        cls = type(owner)
        if cls is type(sys):
            return owner.__dict__.get(name, UNKNOWN)
        if cls is type:
            return self.of_type(owner, name)
        for base in cls.__mro__[:-1]:
            if "__getattr__" in base.__dict__ or "__getattribute__" in base.__dict__ and base.__flags__ & (1 << 9):
                return UNKNOWN
        found = UNKNOWN
        for base in cls.__mro__:
            if name in base.__dict__:
                found = base.__dict__[name]
                break
        if found is not UNKNOWN and (hasattr(type(found), "__set__") or hasattr(type(found), "__delete__")):
            return UNKNOWN
        try:
            own = object.__getattribute__(owner, "__dict__")
        except AttributeError:
            own = None
        if own is not None:
            if type(own) is not dict:
                return UNKNOWN
            if name in own:
                return own[name]
        return self.method(found)

    def of_type(self, cls, name):
        for base in cls.__mro__:
            if name in base.__dict__:
                return self.method(base.__dict__[name])
        return UNKNOWN

    def method(self, found):
        kind = type(found)
        if kind is FUNCTION or kind.__name__ in METHODS or not hasattr(kind, "__get__"):
            return found
        if kind in (staticmethod, classmethod):
            return found.__func__
        return UNKNOWN


KINDS = (("LOAD_ATTR", "reads"), ("LOAD_METHOD", "reads"), ("STORE_ATTR", "writes"), ("DELETE_ATTR", "deletes"), ("LOAD_GLOBAL", "reads"),
         ("LOAD_NAME", "reads"), ("LOAD_DEREF", "reads"), ("STORE_GLOBAL", "writes"), ("STORE_DEREF", "writes"),
         ("BINARY_SUBSCR", "reads"), ("STORE_SUBSCR", "writes"), ("DELETE_SUBSCR", "deletes"), ("BEFORE_WITH", "enters"),
         ("LOAD_SPECIAL", "enters"), ("CALL", "calls"), ("CALL_METHOD", "calls"), ("CALL_FUNCTION", "calls"), ("CALL_KW", "calls"))


class Tracer(object):
    """Tells the steps of one execution: line, what is read or written, its value."""

    def __init__(self, search):
        self.search = search
        self.kinds = dict(KINDS)
        self.pending = [None] * search.n
        self.lines = []
        self.called = False
        self.source = search.source
        self.numbers = {}

    def depth(self, frame):
        n = 0
        while frame is not None and frame.f_code.co_filename != OURS:
            frame, n = frame.f_back, n + 1
        return n

    def takes(self, t, code, offset, frame):
        """Just before a step: what is read can be told now, what is written afterwards."""
        line, text, op, piece = self.source.place(code, offset)
        kind = self.kinds.get(op, "")
        if op == "BINARY_OP" and piece.endswith("]"):
            kind = "reads"  # 3.14: a subscript is a binary operation
        if kind == "calls" and "(" not in piece:
            kind = "leaves" if piece else kind
        owner = key = value = UNKNOWN
        if kind in ("reads", "writes", "deletes") and piece:
            try:
                node = ast.parse(piece.strip(), mode="eval").body
                if type(node).__name__ == "Attribute":
                    owner, key = self.source.evaluate(node.value, frame), node.attr
                elif type(node).__name__ == "Subscript":
                    owner, key = self.source.evaluate(node.value, frame), self.source.evaluate(node.slice, frame)
                elif type(node).__name__ == "Name":
                    owner, key = frame.f_globals, node.id
                value = self.source.evaluate(node, frame)
            except Exception:
                kind = ""
        if kind == "reads" and value is UNKNOWN and op in ("LOAD_ATTR", "LOAD_METHOD"):
            kind = ""  # a method, or what only running code would tell
        self.pending[t] = [t, self.depth(frame), code.co_filename, line, text, kind, piece, value, owner, key]

    def before(self, t, depth):
        """After a step, before the next of its thread."""
        p = self.pending[t]
        if p is None:
            return
        self.pending[t] = None
        t, deep, file, line, text, kind, piece, value, owner, key = p
        if kind == "calls" and depth > deep:
            kind = ""  # its own steps follow
        if kind == "writes" and owner is not UNKNOWN:
            value = self.source.item(owner, key) if type(owner) in (dict, list) else self.source.attribute(owner, key)
        place = ""
        if kind in ("reads", "writes", "deletes") and owner is not UNKNOWN and type(key) in _PLAIN:
            where = (id(owner), key)
            place = self.numbers.setdefault(where, len(self.numbers) + 1)
        told = "" if value is UNKNOWN or kind == "deletes" else render(value)[:60]
        self.lines.append((t + 1, deep, file, line, text, kind, piece, told, place))

    def switches(self, frame):
        """A thread is left where it could go on."""
        while frame is not None and frame.f_code.co_filename != OURS:
            self.called = self.called or self.source.caller(frame) == "c"
            frame = frame.f_back

    def waits(self, t):
        p = self.pending[t]
        if p is not None:
            self.lines.append((t + 1, p[1], p[2], p[3], p[4], "waits", p[6], "", ""))

    def where(self, t):
        p = self.pending[t]
        return (p[6] or p[4], p[4], p[3]) if p else ("", "", "")


# ---- Locks that give the turn away instead of waiting ---------------------------------------------

SEARCH = []


def wait(lock, timed):
    """Until the lock is free, or, if timed, until the search lets the time be over first."""
    search = SEARCH[0]
    t = search.idents.get(th.get_ident())
    if t is None:
        raise WouldBlock()
    search.wait(t, lock, timed)


def timeout_of(blocking, timeout):
    return blocking and timeout is not None and timeout >= 0


class Waiting(object):
    """What both kinds of lock share; the native lock inside does the work. Nothing of it shows in an outcome."""

    __slots__ = ("__native__", "__holder__", "__weakref__")

    def __init__(self, native):
        self.__native__, self.__holder__ = native, None

    def __reduce_ex__(self, protocol):
        return self.__native__.__reduce_ex__(protocol)

    def holder(self):
        return self.__holder__

    def acquire(self, blocking=True, timeout=-1):
        if not self.__native__.acquire(False):
            if not blocking:
                return self.__native__.acquire(blocking, timeout)
            if timeout == 0:
                return False
            timed = timeout_of(blocking, timeout)
            while True:
                wait(self, timed)
                if self.__native__.acquire(False):
                    break
                if timed:
                    return False
        self.__holder__ = SEARCH[0].idents.get(th.get_ident())
        return True

    def __enter__(self):
        return self.acquire()

    def release(self):
        return self.__native__.release()

    def free(self):
        # Asked by another thread than the one that waits.
        if self.__native__.acquire(False):
            self.__native__.release()
            return True
        return False

    def __exit__(self, *_):
        self.__native__.release()

    def __getattr__(self, name):
        return getattr(self.__native__, name)

    def __repr__(self):
        return repr(self.__native__)


class lock(Waiting):
    __slots__ = ()

    def __init__(self):
        Waiting.__init__(self, NATIVE_LOCK())

    acquire_lock, release_lock = Waiting.acquire, Waiting.release


class RLock(Waiting):
    __slots__ = ()

    def __init__(self, *_, **__):
        Waiting.__init__(self, NATIVE_RLOCK())

    def _acquire_restore(self, state):
        while not self.free():
            wait(self, False)
        self.__native__._acquire_restore(state)
        self.__holder__ = SEARCH[0].idents.get(th.get_ident())


def patch(search):
    """Replaces what makes locks, starts threads and sleeps, wherever a module names it."""
    global NATIVE_LOCK, NATIVE_RLOCK
    NATIVE_LOCK, NATIVE_RLOCK = th.allocate_lock, getattr(th, "RLock", None)

    def starts(*_, **__):
        undecided("an operation starts a thread of its own")

    pairs = [(NATIVE_LOCK, lock), (getattr(th, "allocate", None), lock), (NATIVE_RLOCK, RLock), (time.sleep, lambda _: None),
             (th.start_new_thread, starts), (getattr(th, "start_new", None), starts),
             (getattr(th, "_start_joinable_thread", None), starts), (getattr(th, "start_joinable_thread", None), starts)]
    if isinstance(NATIVE_LOCK, type) is False and getattr(th, "lock", None) is not None:
        pairs.append((th.lock, lock))
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if type(names) is not dict or names is globals():
            continue
        for name, value in list(names.items()):
            for old, new in pairs:
                if old is not None and value is old:
                    names[name] = new


# ---- The search -----------------------------------------------------------------------------------


def show(runs, maker=0):
    """A schedule as text: thread:steps, one after another; threads count from 1. Before it another
    maker of the object than thread 1."""
    return " ".join((["made-by:%d" % (maker + 1)] if maker else []) + ["%d:%d" % (t + 1, n) for t, n in runs])


def read(text):
    parts = [part.split(":") for part in text.split()]
    maker = 0
    if parts and parts[0][0] == "made-by":
        maker = int(parts.pop(0)[1]) - 1
    return tuple([(int(a) - 1, int(b)) for a, b in parts]), maker


class Diverged(Exception):
    """The same schedule did not lead to the same steps."""


def at_work():
    """Whether another thread of this process runs or could run: it works, or the machine is busy."""
    me = str(th.get_native_id()) if hasattr(th, "get_native_id") else ""
    try:
        for task in os.listdir("/proc/self/task"):
            if task != me:
                with open("/proc/self/task/%s/stat" % task) as f:
                    if f.read().rpartition(")")[2].split()[0] in "RD":
                        return True
    except Exception:
        pass
    return False


class Ended(object):
    """What an operation waits for that is recorded to have begun when others had ended."""

    def __init__(self, search, before):
        self.search = search
        self.before = before

    def free(self):
        return not [1 for u, n in self.before if self.search.finished[u] < n]

    def holder(self):
        return None


class Search(object):
    # Steps of one execution, and of one thread while others could go on (it may spin, waiting for them).
    LONGEST = 20000
    PATIENCE = 2000

    def __init__(self, job):
        self.job = job
        self.lens = job["ops"]
        self.n = len(self.lens)
        self.base = [sum(self.lens[:t]) for t in range(self.n)]
        self.idents = {}
        self.decoder = Decoder(job.get("whole"))
        self.tracing = None
        self.exploring = False
        self.grown = False
        self.effects = {}
        self.outcomes = set()
        self.executions = self.steps = 0
        self.begun, self.spent = clock(), spent()
        self.silence = job.get("silence", 5.0)

    # -- set-up

    def prepare(self):
        self.watch = mechanism()(self)
        self.source = Source(self)
        emit("I", "mechanism", self.watch.name)
        self.turns = [Turn() for _ in range(self.n)]
        self.over = Turn()
        for t in range(1, self.n):
            th.start_new_thread(self.worker, (t,))
        th.start_new_thread(self.guard, (time.sleep,))
        SEARCH.append(self)
        patch(self)
        self.tokens = make_tokens()
        self.ns = {"Tok": Tok, "Exc": Exc, "X": X, "ALARM": ALARM, "V": self.tokens, "N": int("1000"), "K": "".join(["k"]),
                   "render": render, "__name__": "scenario"}
        exec(compile(self.job["src"], SCENARIO, "exec"), self.ns)
        self.bodies = self.ns["_BODIES"]
        self.final = self.ns["FINAL"]
        self.make = self.ns["MK"]
        # Looks at the object only where that is asked about: it may run code of the object's own.
        if [g for g in self.job["goals"] if g.startswith(CHECK)]:
            self.check = self.ns["CHECK"]

    def sequential(self, order):
        """As harness.py runs an order; None where one thread would wait for itself."""
        o = self.make()
        r = [None] * sum(self.lens)
        at = [0] * self.n
        for c in order:
            t = int(c)
            j = at[t]
            at[t] = j + 1
            self.warming = True
            try:
                r[self.base[t] + j] = self.bodies[t][j](o)
            except WouldBlock:
                return None
            except BaseException as e:
                r[self.base[t] + j] = X(e)
            finally:
                self.warming = False
        return r + [self.observed(self.final, o)]

    def observed(self, look, o):
        try:
            return look(o)
        except WouldBlock:
            return Exc("WouldBlock")
        except BaseException as e:
            return X(e)

    def explain(self):
        """All sequential orders, twice: what differs is free; and all code that they run is known then."""
        self.watch.notice(True)
        self.watch.enter()
        try:
            orders = self.job["orders"]
            first = [self.sequential(order) for order in orders]
            second = [self.sequential(order) for order in orders]
        finally:
            self.watch.exit()
        free = set()
        for a, b in zip(first, second):
            if a is None or b is None:
                continue
            free.update([i for i in range(len(a)) if render(a[i]) != render(b[i])])
        self.free = free
        self.seen = set([line(a, free) for a in first + second if a is not None])
        for text in sorted(self.seen):
            emit("S", text)
        gc.collect()

    def operating(self):
        """Whether this thread is inside an operation."""
        return self.warming or th.get_ident() in self.idents

    def note(self, code):
        if self.decoder.note(code) and self.exploring:
            self.grown = True

    def closes(self, code):
        """A generator is ended in its middle, as it dies or is closed."""
        if self.decoder.handles(code):
            self.dies()

    def dies(self):
        """Code runs as an object dies: from now on the moment of that is visible."""
        if not self.decoder.lifetime:
            self.decoder.lifetime = True
            self.grown = self.grown or self.exploring

    # -- one execution

    def guard(self, sleep):
        """A thread that takes no step for long waits inside the VM, where no other can be chosen."""
        before = None
        while True:
            sleep(self.silence)
            now = self.steps, self.executions
            if now == before and not at_work():
                undecided("an operation waits inside the VM, where no other thread can be chosen")
            before = now

    def worker(self, t):
        while True:
            self.turns[t].take()
            if self.making:
                self.making = False
                self.object = self.make()
                self.over.give()
            else:
                self.run(t)

    def run(self, t):
        """The operations of a thread, which has the turn."""
        self.idents[th.get_ident()] = t
        self.blocked[t] = None
        o = self.object
        self.watch.enter()
        try:
            for j, body in enumerate(self.bodies[t]):
                if self.abandoned:
                    break
                self.operation[t] = j
                others = self.recorded(t, j)
                if j and others and not others.free():
                    self.wait(t, others, False)
                try:
                    r = body(o)
                except Abandon:
                    break
                except BaseException as e:
                    r = X(e)
                self.results[self.base[t] + j] = r
                self.finished[t] = j + 1
        except Abandon:
            pass
        finally:
            self.watch.exit()
            del self.idents[th.get_ident()]
        o = r = None
        if self.tracing and not self.abandoned:
            self.tracing.before(t, 0)
        self.ended[t] = True
        self.leave(t)

    def execute(self, plan, expected, maker=0):
        """One execution along `plan`, then without preemption; its choices are in `self.points`."""
        self.plan, self.segment, self.turn, self.expected = plan, -1, -1, expected
        self.runs = []
        self.points = []
        self.hash = 0
        self.operation = [0] * self.n
        self.fresh = True
        self.total = self.streak = 0
        self.preemptions = 0
        self.finished = [0] * self.n
        self.blocked = [self.recorded(u, 0) for u in range(self.n)]
        self.timed = [False] * self.n
        self.ended = [False] * self.n
        self.results = [None] * sum(self.lens)
        self.abandoned = None
        self.cut = None
        self.waits = None
        self.diverged = None
        self.executions += 1
        # As in the hunt's own harness the main thread is thread 0, and it or another makes the object.
        if maker:
            self.making = True
            self.turns[maker].give()
            self.over.take()
        else:
            self.object = self.make()
        self.source.begin()
        first = self.next(None)
        if self.diverged:
            raise Diverged(self.diverged)
        self.turns[first].give()
        self.turns[0].take()
        self.run(0)
        self.over.take()
        if self.diverged:
            raise Diverged(self.diverged)
        result = None
        if self.abandoned == "deadlock":
            result = "deadlock"
        elif not self.abandoned:
            result = self.results + [self.observed(self.final, self.object)]
            if self.check:
                self.found = render(self.observed(self.check, self.object))
        self.object = self.results = None
        return result

    def recorded(self, t, j):
        """What the operation has to wait for, if the record says anything of it."""
        before = [(u, n) for at, i, u, n in self.job.get("before", ()) if (at, i) == (t, j)]
        return Ended(self, before) if before else None

    def enabled(self):
        return [u for u in range(self.n)
                if not self.ended[u] and (self.blocked[u] is None or self.timed[u] or self.blocked[u].free())]

    def next(self, current):
        """The thread that goes on: as planned, else the current one, else the first that can."""
        can = self.enabled()
        planned = self.planned(current)
        if planned is None and self.strict and can and not self.diverged:
            self.diverged = "it ends before the threads do"
        if self.diverged or planned is None and not can:
            return None
        chosen = planned
        if planned is None:
            chosen = current if current is not None else can[0]
            if current is not None and self.streak > self.PATIENCE and len(can) > 1:
                # It may wait for another one by reading what that one writes.
                self.cut = "a thread took more than %d steps in a row" % self.PATIENCE
                chosen = can[(can.index(current) + 1) % len(can)]
            elif len(can) > 1:
                runs = tuple([(t, n) for t, n in self.runs])
                self.points.append((runs, tuple(can), chosen, current, self.hash, self.preemptions))
        elif chosen not in can:
            self.diverged = "thread %d cannot run after %s" % (chosen + 1, show(self.runs) or "nothing")
            return None
        if current is not None and chosen != current:
            self.preemptions += 1
        if self.turn != self.segment or chosen != current:
            self.turn = self.segment
            self.runs.append([chosen, 0])
            self.streak = 0
        return chosen

    def planned(self, current):
        """The thread that the plan wants here; None after its end."""
        last = len(self.plan) - 1
        if last < 0 or self.segment > last or self.segment == last and not self.strict:
            return None
        if self.segment >= 0:
            thread, count = self.plan[self.segment]
            passed = self.runs[-1][1]
            if passed < count and current is not None:
                return current
            if passed != count:
                self.diverged = "thread %d cannot go on after %d of %d steps" % (thread + 1, passed, count)
                return None
            if self.segment == last:
                self.segment += 1
                return None
        self.segment += 1
        if self.segment == last and self.expected is not None and self.hash != self.expected:
            self.diverged = "the steps before the last of %s are others than before" % show(self.plan)
        return self.plan[self.segment][0]

    def arrives(self, t, code, offset, frame):
        """A thread stands before a bytecode that may be a step."""
        step = offset in self.decoder.steps(code)
        if not self.decoder.whole and offset in self.decoder.edges(code) and self.source.caller(frame) != "python":
            if not self.decoder.lifetime and self.source.is_finaliser(frame):
                self.dies()
            self.point(t, code, offset, frame, step)
        elif not step:
            return
        elif self.source.commutes(code, offset, frame):
            self.passes(t, code, offset, frame)
        else:
            self.point(t, code, offset, frame, True)

    def unwinds(self, t, code, offset, frame):
        """An exception leaves code: where C code called it, that goes on after what raised, without a bytecode between."""
        if self.source.caller(frame) != "python":
            self.point(t, code, offset, frame, False)

    def point(self, t, code, offset, frame, shown):
        """A thread is about to take a step; one that is none but for its caller is shown where it waited there."""
        if self.abandoned:
            raise Abandon()
        if self.tracing:
            self.tracing.before(t, self.tracing.depth(frame))
        if not self.fresh:
            shown = self.give(t, frame) or shown
        self.fresh = False
        self.runs[-1][1] += 1
        self.total += 1
        self.steps += 1
        self.streak += 1
        self.hash = hash((self.hash, t, code.co_name, code.co_firstlineno, offset))
        self.measure(t, code, offset)
        if self.total > self.LONGEST:
            self.cut = "an execution took more than %d steps" % self.LONGEST
            self.abandon("cut")
        if self.tracing and shown:
            self.tracing.takes(t, code, offset, frame)

    def measure(self, t, code, offset):
        """Counts what an operation does beyond looking names up."""
        if self.executions == 1 and offset in self.decoder.effects(code):
            operation = t, self.operation[t]
            self.effects[operation] = self.effects.get(operation, 0) + 1

    def passes(self, t, code, offset, frame):
        """A step that commutes with all of the others: no switch, but shown."""
        self.measure(t, code, offset)
        if self.tracing:
            self.tracing.before(t, self.tracing.depth(frame))
            self.tracing.takes(t, code, offset, frame)

    def look(self):
        """As one thread stops running: a write that no code named makes every step one."""
        if not self.decoder.dynamic and not self.source.holds():
            self.decoder.dynamic = self.grown = True

    def give(self, t, frame):
        """Before the next step: this thread goes on, or another does; whether another did."""
        chosen = self.next(t)
        if self.diverged:
            self.abandon("diverged")
        if chosen != t:
            self.look()
            # After its waking the step that it stands before is taken without asking again.
            self.fresh = True
            if self.tracing:
                self.tracing.switches(frame)
            self.turns[chosen].give()
            self.turns[t].take()
            if self.abandoned:
                raise Abandon()
        return chosen != t

    def wait(self, t, lock, timed):
        """The running thread cannot go on; returns when its turn comes with the lock free, or time over."""
        if self.abandoned:
            raise Abandon()
        self.blocked[t], self.timed[t] = lock, timed
        if self.tracing:
            self.tracing.waits(t)
        chosen = self.next(None)
        if self.diverged:
            self.abandon("diverged")
        if chosen is None:
            self.waits = [(u, self.blocked[u], self.blocked[u].holder()) for u in range(self.n) if not self.ended[u]]
            self.abandon("deadlock")
        if chosen != t:
            self.fresh = True
            self.turns[chosen].give()
            self.turns[t].take()
        self.blocked[t], self.timed[t] = None, False
        self.fresh = False
        if self.abandoned:
            raise Abandon()

    def abandon(self, why):
        """The threads end one after another, without another step of theirs."""
        self.abandoned = why
        raise Abandon()

    def leave(self, t):
        """A thread has ended; another goes on, or the execution is over."""
        self.look()
        if self.abandoned:
            left = [u for u in range(self.n) if not self.ended[u]]
            chosen = left[0] if left else None
        else:
            chosen = self.next(None)
            left = [u for u in range(self.n) if not self.ended[u]]
            if self.diverged:
                self.abandoned = "diverged"
                chosen = left[0] if left else None
            elif chosen is None and left:
                self.waits = [(u, self.blocked[u], self.blocked[u].holder()) for u in left]
                self.abandoned = "deadlock"
                chosen = left[0]
        self.fresh = True
        if chosen is None:
            self.over.give()
        else:
            self.turns[chosen].give()

    # -- all executions

    strict = making = warming = False
    check = found = None

    def text(self, result, stars):
        if result is None or result == "deadlock":
            return result
        return line(result, self.free | stars)

    def gives(self, result, goal, stars):
        """Whether an execution with this result is one that is asked for."""
        if goal.startswith(RAISES):
            text = "!" + goal[len(RAISES):]
            raised = [render(r) for r in result[:-1]] if type(result) is list else []
            return [r for r in raised if r == text or r.startswith(text + ": ")] != []
        if goal.startswith(CHECK):
            return type(result) is list and self.found == goal[len(CHECK):]
        return self.text(result, stars) == goal

    def all(self):
        """Executions by the number of their preemptions; each of the tree once."""
        self.limited = None
        for maker in range(min(self.n, 2)):
            for result in self.tree(maker):
                yield result

    def tree(self, maker):
        bound = self.job.get("bound")
        levels = [[((), None)]]
        level = 0
        while level < len(levels):
            todo = levels[level]
            while todo:
                plan, expected = todo.pop()
                result = self.execute(plan, expected, maker)
                if self.grown:
                    return
                yield result, (tuple([tuple(r) for r in self.runs]), maker)
                for runs, can, chosen, current, h, preempted in self.points:
                    for u in can:
                        if u == chosen:
                            continue
                        cost = preempted + (current is not None and u != current)
                        while len(levels) <= cost:
                            levels.append([])
                        levels[cost].append((runs + ((u, 0),), h))
            level += 1
            if bound is not None and level > bound and [1 for l in levels[level:] if l]:
                self.limited = bound
                return

    def is_late(self, seconds):
        """Whether so many seconds are spent, on a busy machine four times as many of the clock."""
        return spent() - self.spent > seconds or clock() - self.begun > 4 * seconds

    def search(self):
        goals = list(enumerate(self.job["goals"]))
        stars = [frozenset([i for i, slot in enumerate(goal.split(" | ")) if slot == "*"]) for _, goal in goals]
        seconds = self.job["seconds"]
        most = self.job["executions"]
        for turn in range(4):
            self.grown = False
            self.exploring = True
            self.cuts = None
            self.outcomes = set()
            try:
                for result, runs in self.all():
                    if self.cut:
                        self.cuts = self.cut
                    if result is not None:
                        self.outcomes.add(self.text(result, frozenset()))
                    for number, goal in goals:
                        if self.gives(result, goal, stars[number]):
                            self.reached(number, goal, stars[number], runs)
                            goals = [g for g in goals if g[0] != number]
                            break
                    if not goals:
                        return self.end("all", "")
                    if self.executions % 64 == 0 and self.is_late(seconds):
                        return self.end("no", self.cuts or "time was up after %d executions" % self.executions)
                    if self.executions >= most:
                        return self.end("no", self.cuts or "%d executions were not all" % self.executions)
                    if self.executions % 500 == 0:
                        gc.collect()
            except Diverged as e:
                return self.end("no", "the same order of bytecodes does not repeat: %s" % e)
            if not self.grown:
                if self.cuts:
                    return self.end("no", self.cuts)
                if [g for n, g in goals if g != "deadlock" and self.free - stars[n]]:
                    return self.end("no", "what the same order gives differs from run to run")
                if self.limited is not None:
                    return self.end("bound", self.limited)
                return self.end("all", "")
            # Code that was not known before, or what it was seen to write, decides what is a step.
            self.decoder.again()
            self.watch.again()
        self.end("no", "executions run code that earlier ones did not")

    def end(self, how, what):
        for feature in ("walks", "lifetime"):
            if getattr(self.decoder, feature):
                emit("N", feature)
        for text in sorted(self.outcomes)[:200]:
            emit("O", text)
        for (t, j), steps in sorted(self.effects.items()):
            emit("P", t, j, steps)
        emit("A", how, what)
        emit("C", self.executions, "%.4f" % (clock() - self.begun), "%.4f" % (spent() - self.spent))

    def replay(self, runs):
        """The whole schedule, each step as given."""
        self.strict = True
        try:
            return self.execute(runs[0], None, runs[1])
        finally:
            self.strict = False

    def replayed(self, runs, goal, stars):
        """Whether the schedule leads to the same steps and outcome again."""
        try:
            return self.gives(self.replay(runs), goal, stars) and tuple([tuple(r) for r in self.runs]) == runs[0]
        except Diverged:
            return False

    def reached(self, number, goal, stars, runs):
        state = self.executions, self.preemptions, self.points
        times = sum([self.replayed(runs, goal, stars) for _ in range(10)])
        told = self.trace(runs) if times == 10 else None
        emit("G", number, show(*runs), state[1], state[0], times, int(told is not None and told.called))
        if told:
            self.tell(told)
        self.executions, self.preemptions, self.points = state

    def trace(self, runs):
        """The interleaving of a schedule."""
        self.tracing = tracer = Tracer(self)
        try:
            self.replay(runs)
        finally:
            self.tracing = None
        return tracer

    def tell(self, tracer):
        for record in tracer.lines:
            emit("T", *record)
        for t, _, holder in self.waits or ():
            emit("W", t + 1, *(tracer.where(t) + ("" if holder is None else holder + 1,)))

    def repeat(self, text):
        """Given back a schedule: its outcome, ten times, and its interleaving."""
        try:
            runs = read(text)
        except ValueError:
            return self.end("no", "not a schedule: %s" % text)
        try:
            for _ in range(10):
                emit("R", self.text(self.replay(runs), frozenset()))
            self.tell(self.trace(runs))
        except Diverged as e:
            return self.end("no", "the schedule does not fit: %s" % e)
        self.end("all", "")


def explain(job):
    if th is None or mechanism() is None:
        undecided("this VM has no sys.monitoring, and no sys.settrace that stops at bytecodes")
    gc.disable()
    # What one operation prints is no record.
    search = Search(job)
    try:
        search.prepare()
        search.explain()
    except BaseException as e:
        undecided("the scenario does not run here: %s" % render(X(e)))
    if job.get("schedule") is not None:
        search.repeat(job["schedule"])
    else:
        search.search()
    leave()


OURS = explain.__code__.co_filename if hasattr(explain, "__code__") else ""
