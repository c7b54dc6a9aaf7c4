# python/cpython#154535: one iterator over a Context advanced by several threads
import contextvars
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
variables = [contextvars.ContextVar("v%d" % i) for i in range(16)]
context = contextvars.Context()


def store():
    for i, variable in enumerate(variables):
        variable.set([i])


context.run(store)
slot = [iter(context)]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                if next(slot[0], None) is None:
                    slot[0] = iter(context)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
