# python/cpython#153297: f.__qualname__ = s replaces and frees without a lock; so do __name__
# and __defaults__
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def target(x=1):
    return x


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                target.__qualname__ = "q%d" % time.monotonic_ns()
                target.__defaults__ = ([1],)
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                target.__qualname__
                target.__defaults__
                target()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, assign, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
