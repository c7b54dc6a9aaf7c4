# python/cpython#151228: o.__dict__.get() without a lock against o.__dict__.clear() on values
# embedded in the object
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Point:
    pass


point = Point()
point.x = 1


def clear():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                point.x = 1
                point.y = 2
                point.__dict__.clear()
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                point.__dict__.get("x")
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (clear, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
