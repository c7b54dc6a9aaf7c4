# python/cpython#150858: C.__qualname__ is read while another thread replaces it
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Box:
    pass


def assign():
    first, second = "name" * 5, "tail"
    while time.monotonic() < end:
        for _ in range(500):
            Box.__qualname__ = first + second


def read():
    while time.monotonic() < end:
        for _ in range(500):
            Box.__qualname__


threads = [threading.Thread(target=f) for f in (assign, assign, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
