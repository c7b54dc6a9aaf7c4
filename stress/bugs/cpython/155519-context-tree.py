# python/cpython#155519: len(), copy() and items() read the tree of a Context while its owner
# sets a variable
import contextvars
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
variables = [contextvars.ContextVar("v%d" % i) for i in range(40)]
context = contextvars.Context()


def store():
    for i, variable in enumerate(variables):
        variable.set([i])


def write():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                context.run(store)
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                len(context)
                list(context.items())
                context.copy()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (write, read, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
