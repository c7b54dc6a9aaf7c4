# python/cpython#150858: C.__qualname__ is read while another thread replaces it
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Box:
    pass


box = Box()


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                Box.__qualname__ = "q%d" % time.monotonic_ns()
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                Box.__qualname__
                repr(box)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, assign, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
