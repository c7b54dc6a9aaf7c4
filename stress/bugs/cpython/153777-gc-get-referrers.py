# python/cpython#153777: gc.get_referrers() while others allocate cycles and collect
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
target = [1]
holders = [[target] for _ in range(100)]


def referrers():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                gc.get_referrers(target)
        except Exception:
            pass


def churn():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                cycle = [target]
                cycle.append(cycle)
        except Exception:
            pass


def collect():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                gc.collect()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (referrers, churn, collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
