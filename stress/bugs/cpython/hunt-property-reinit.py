# threadbare/hunt#cpython-property-reinit: property.__init__() frees the getter that __get__() is
# about to call
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def getter(v):
    return lambda self: v


shared = property(getter(1))


def make():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.__init__(getter(1), getter(2), getter(3), "doc" + str(1))
            except Exception:
                pass


def get():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.__get__(1)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (make, get)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
