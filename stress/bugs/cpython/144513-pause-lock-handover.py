# python/cpython#144513: the fair hand-over of a lock gives it to a thread that is already
# paused
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = [str(i) for i in range(200)]


class Box:
    pass


def key(item):
    time.sleep(0.0001)
    Box.__len__ = lambda self: 1
    return item


def sort():
    while time.monotonic() < end:
        try:
            shared.sort(key=key)
        except Exception:
            pass


def append():
    while time.monotonic() < end:
        try:
            shared.append("x")
            shared.pop()
        except Exception:
            pass


def collect():
    while time.monotonic() < end:
        try:
            gc.collect()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (sort, sort, append, append, collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
