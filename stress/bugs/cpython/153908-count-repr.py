# python/cpython#153908: repr(count) reads plainly against the atomic increment of next()
import itertools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
counter = itertools.count()


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                next(counter)
        except Exception:
            pass


def show():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                repr(counter)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, show)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
