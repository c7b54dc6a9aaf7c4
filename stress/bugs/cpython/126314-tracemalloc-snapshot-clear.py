# python/cpython#126314: tracemalloc.take_snapshot() against clear_traces()
import sys
import threading
import time
import tracemalloc

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
tracemalloc.start()
keep = [[i] for i in range(2000)]


def snapshot():
    while time.monotonic() < end:
        try:
            tracemalloc.take_snapshot()
        except Exception:
            pass


def clear():
    while time.monotonic() < end:
        try:
            tracemalloc.clear_traces()
            [[i] for i in range(100)]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (snapshot, snapshot, clear, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
