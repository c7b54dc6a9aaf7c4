# devdanzin/rustpython-findings#RUSTPY-0022: next() on an exhausted one-item itertools.cycle:
# add and wrap of the index are two steps
import itertools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = itertools.cycle([0])
next(shared)


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(500):
                next(shared)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
