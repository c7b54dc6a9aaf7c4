# python/cpython#155519: len(), copy() and items() read the tree of a Context while its owner
# sets a variable
import contextvars
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
variable = contextvars.ContextVar("v")
context = contextvars.Context()
context.run(variable.set, 0)


def write():
    values = [[1], [2]]

    def store():
        for value in values * 200:
            variable.set(value)

    while time.monotonic() < end:
        context.run(store)


def read():
    while time.monotonic() < end:
        for _ in range(200):
            context.copy()
            list(context.items())


threads = [threading.Thread(target=f) for f in (write, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
