# python/cpython#126315: tracemalloc.start() and stop() from several threads while others
# allocate
import sys
import threading
import time
import tracemalloc

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def toggle():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                tracemalloc.start()
                tracemalloc.reset_peak()
                tracemalloc.stop()
        except Exception:
            pass


def allocate():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                [[i] for i in range(100)]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (toggle, toggle, toggle, allocate)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
