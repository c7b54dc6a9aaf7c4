# awolverp/cachebox#55: the collector traverses an object between __new__ and __init__
import os, sys, threading, time

try:
    import cachebox
    import gc
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)



def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def make():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                cachebox.Cache(10)
        except Exception:
            pass


def collect():
    while time.monotonic() < end:
        try:
            gc.collect()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (make, make, collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
