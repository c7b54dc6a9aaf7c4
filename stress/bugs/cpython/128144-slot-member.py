# python/cpython#128144: entries of __slots__ and object-valued C members are read and written
# plainly
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Point:
    __slots__ = ("x",)


point = Point()
point.x = [0]


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                point.x = [1]
                point.x = {2: 3}
                point.x = "%d" % id(point)
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                point.x
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
