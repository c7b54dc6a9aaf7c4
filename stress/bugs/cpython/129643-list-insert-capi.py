# python/cpython#129643: list insert and set item from C without the lock, reached through
# library code
import bisect
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
items = [1, 2, 3]


def insert():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                bisect.insort(items, 2)
                items.pop()
        except Exception:
            pass


def walk():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                for _ in items:
                    pass
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (insert, walk, walk)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
