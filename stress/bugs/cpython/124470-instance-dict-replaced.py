# python/cpython#124470: f.__dict__ = {} frees the old dict while f.attr reads it through a
# borrowed pointer
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Holder:
    pass


holder = Holder()


def replace():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                holder.__dict__ = {"name": [1]}
                holder.name = [2]
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                holder.name
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (replace, replace, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
