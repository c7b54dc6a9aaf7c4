# python/cpython#121368: missing fences in the sequence lock of the lookup cache, on weakly
# ordered processors
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Box:
    x = [0]


box = Box()


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
                box.x
                Box.x
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
