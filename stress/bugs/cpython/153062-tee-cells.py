# python/cpython#153062: one itertools.tee branch used by many threads corrupts the linked cells
# that branches share
import itertools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fresh():
    return itertools.tee(str(i) for i in range(1000))


slot = [fresh()]


def left():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                if next(slot[0][0], None) is None:
                    slot[0] = fresh()
        except Exception:
            pass


def right():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                if next(slot[0][1], None) is None:
                    slot[0] = fresh()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (left, left, right, right)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
