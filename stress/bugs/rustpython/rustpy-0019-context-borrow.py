# devdanzin/rustpython-findings#RUSTPY-0019: set and get of one Context from two threads: the
# map is in a RefCell
import contextvars
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
variable = contextvars.ContextVar("v")
context = contextvars.copy_context()


def store():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                context.run(variable.set, [1])
        except RuntimeError:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                context.run(variable.get, 0)
        except RuntimeError:
            pass


threads = [threading.Thread(target=f) for f in (store, store, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
