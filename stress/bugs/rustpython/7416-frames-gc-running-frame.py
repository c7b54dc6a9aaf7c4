# RustPython/RustPython#7416-frames: the collector reads locals of a frame that another thread
# runs
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def deep(n):
    local = [n, {n: [n]}]
    return deep(n - 1) if n else local


def recurse():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                deep(15)
                list(i for i in range(10))
        except Exception:
            pass


def collect():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                gc.collect()
                gc.get_objects()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (recurse, recurse, collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
