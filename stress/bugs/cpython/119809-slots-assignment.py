# python/cpython#119809: heavy assignment to one __slots__ attribute by two threads
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
                point.x
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, assign)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
