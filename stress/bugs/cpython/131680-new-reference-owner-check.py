# python/cpython#131680: memory reused from a free list is initialised again while a reader
# still checks its owner
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
slot = [(1, 2)]


def write():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                slot[0] = (1, time)
                slot[0] = None
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                slot[0]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (write, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
