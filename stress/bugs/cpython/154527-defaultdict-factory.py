# python/cpython#154527: repr() or a missing key uses default_factory as a borrowed pointer
# while it is assigned
import collections
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = collections.defaultdict(list)


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.default_factory = lambda: 0
        except Exception:
            pass


def use():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                repr(shared)
                shared[object()]
                shared.clear()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, assign, use, use)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
