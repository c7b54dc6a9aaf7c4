# python/cpython#118362: class attribute read against replace: the cached lookup result is
# borrowed
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Box:
    x = [0]


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                Box.x = [1]
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                Box.x
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
