# threadbare/hunt#rustpython-memoryview-eq-setitem: a comparison of two views locks their one
# buffer twice, v[0] = x waits between
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = memoryview(bytearray(64)).cast("i")


def compare():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared == shared[:]
            except Exception:
                pass


def store():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared[0] = 100
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (compare, store)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
