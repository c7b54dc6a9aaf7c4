# python/cpython#127235: several threads set and clear trace functions and the global counters
# go wrong
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def tracer(frame, event, arg):
    return tracer


def target():
    return 1


def trace():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                sys.settrace(tracer)
                target()
                sys.settrace(None)
        except Exception:
            pass


def all_threads():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                threading.settrace_all_threads(tracer)
                threading.settrace_all_threads(None)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (trace, trace, all_threads)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
