# python/cpython#150411: gc.get_count() reads the young counter while allocating threads flush
# their own
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def allocate():
    while time.monotonic() < end:
        try:
            for _ in range(10):
                [[] for _ in range(1000)]
        except Exception:
            pass


def ask():
    while time.monotonic() < end:
        try:
            for _ in range(10):
                gc.get_count()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (allocate, ask)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
