# python/cpython#140431: the collector walks heap pages of other threads and meets half-
# initialised blocks
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def allocate():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                [[i] for i in range(100)]
        except Exception:
            pass


def collect():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                gc.collect()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (allocate, allocate, collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
