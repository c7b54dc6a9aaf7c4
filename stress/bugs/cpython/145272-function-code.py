# python/cpython#145272: f.__code__ = g.__code__ while the function is called
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def target():
    return 1


def other():
    return 2


one, two = target.__code__, other.__code__


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                target.__code__ = two
                target.__code__ = one
        except Exception:
            pass


def call():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                target()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, call, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
