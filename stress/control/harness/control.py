"""Runs a Python program under control: python control.py PROGRAM [ARGUMENT...]

The program takes `run`, `again`, `together` and the rest from `kit`, as those of stress/bugs do:
they work unchanged. Its bodies run once each, in one window, in a child that is forked for every
schedule. Without a driver those of stress/bugs run as by themselves.
"""

import os
import sys
import types
import _thread

# A run that compiles its modules and a later one that finds them compiled are not the same.
sys.dont_write_bytecode = True

# See the runtime's window.rs.
BASE = 0x74620000
SERVE, GO, DONE, CLOSED, OUTCOME, LEAVE, BATCH, TRACED = range(BASE, BASE + 8)
# The driver's block, see block.rs.
DESCRIPTOR = 200

# Texts of what was compiled from no file, by the name that it was compiled with.
sources = {}


def ask(what, argument=0, _ask=os.getpriority):
    return _ask(what, argument)


def wait(what, argument=0, _wait=os.fchmod):
    """As `ask`, for what takes time: lets go of the thread state meanwhile."""
    _wait(what, argument)


def controlled():
    try:
        return ask(BATCH) >= 0
    except OSError:  # the kernel knows no such number
        return False


def start(body):
    if hasattr(_thread, "start_joinable_thread"):
        return _thread.start_joinable_thread(body)
    return _thread.start_new_thread(body, ())


def serve(_served=[]):
    """Returns in a child; the parent ends here after the last."""
    import gc

    if _served:
        return
    _served.append(True)
    # In 3.13 the first thread that ever starts does work that no other does.
    if hasattr(_thread, "start_joinable_thread"):
        start(lambda: None).join()
    # A collection in the window would be a step of the size of the heap.
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()
    gc.disable()
    if not ask(SERVE):
        if ask(TRACED) > 0:
            tell_lines()
        os._exit(0)


def tell_lines():
    """Tells where the bytecode of every function lies and which lines it is of, behind the driver's block: in a trace
    each bytecode is a write of its address. All runs are over, and their addresses were ours."""
    import gc

    told = ["line\t%s\t%d\t%s" % (name, number, line)
            for name, text in sources.items() for number, line in enumerate(text.split("\n"), 1)]
    gc.unfreeze()
    codes = {}
    todo = [o.__code__ for o in gc.get_objects() if type(o) is types.FunctionType]
    while todo:
        code = todo.pop()
        if id(code) in codes:
            continue
        codes[id(code)] = code
        todo.extend([c for c in code.co_consts if type(c) is types.CodeType])
        lines = ["%d:%d" % (start, line) for start, _, line in code.co_lines() if line]
        # The bytecode is the object's last part.
        start = id(code) + type(code).__basicsize__
        told.append("code\t%x\t%d\t%s\t%s\t%s" % (
            start, len(code.co_code), code.co_filename, code.co_qualname, " ".join(lines)))
    os.lseek(DESCRIPTOR, 0, os.SEEK_END)
    text = ("\n".join(told) + "\n").encode("utf-8", "replace")
    while text:
        text = text[os.write(DESCRIPTOR, text):]


windows = 0


def window(*bodies):
    """Runs the bodies, one a thread, with all their steps in the strategy's hands."""
    global windows
    serve()
    count = len(bodies)

    def inside(body):
        def one():
            wait(GO, count)
            try:
                body()
            except Exception:
                pass
            wait(DONE)

        return one

    windows += 1
    kept = [start(inside(body)) for body in bodies]
    wait(CLOSED, windows)
    return kept


def batch(make, *operations):
    """Windows one after the other in one process, each on an object of its own: calls each of
    `operations` with it on a thread. Returns (object, results) pairs."""
    serve()
    count, objects = len(operations), [make() for _ in range(ask(BATCH))]
    results = [[] for _ in operations]

    def along(operation, got):
        def one():
            for item in objects:
                wait(GO, count)
                try:
                    result = operation(item)
                except Exception as error:
                    result = type(error)
                got.append(result)
                wait(DONE)

        return one

    kept = [start(along(operation, got)) for operation, got in zip(operations, results)]
    wait(CLOSED, len(objects))
    return list(zip(objects, zip(*results)))


def outcome(text):
    """Adds a text to what this run has seen."""
    # Of strings the hash is the same in each run, as randomness is ours; a loop in Python would take more
    # steps than the window.
    ask(OUTCOME, hash(text) & 0x7FFFFFFF)


def kit_of(program):
    """The kit beside the program's folder, with the functions that start threads replaced."""
    kit = types.ModuleType("kit")
    path = os.path.join(os.path.dirname(os.path.abspath(program)), "..", "kit.py")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as source:
            exec(compile(source.read(), "kit.py", "exec"), kit.__dict__)
    kit.batch, kit.outcome = batch, outcome
    if controlled():
        kit.run = kit.again = kit.together = window
        kit.rounds = lambda turn: turn()
    return kit


def main():
    program = sys.argv[1]
    del sys.argv[:1]
    sys.modules["kit"] = kit_of(program)
    with open(program, encoding="utf-8") as source:
        text = source.read()
    sources[os.path.basename(program)] = text
    code = compile(text, os.path.basename(program), "exec")
    exec(code, {"__name__": "__main__", "__file__": program})
    if controlled():
        # Without the interpreter's own end, which is long and the same each time.
        ask(LEAVE, 0)


if __name__ == "__main__":
    main()
