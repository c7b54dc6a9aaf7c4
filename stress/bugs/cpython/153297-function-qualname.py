# python/cpython#153297: f.__qualname__ = s replaces and frees without a lock; so do __name__
# and __defaults__
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def target(x=1, y=2):
    return x


def assign():
    item = [1]
    while time.monotonic() < end:
        for _ in range(500):
            target.__defaults__ = (item, item)


def read():
    while time.monotonic() < end:
        try:
            for _ in range(500):
                target.__defaults__
                target()
        except TypeError:
            pass


threads = [threading.Thread(target=f) for f in (assign, assign, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
