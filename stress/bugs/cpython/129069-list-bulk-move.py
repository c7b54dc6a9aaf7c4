# python/cpython#129069: index reads without a lock while slice assignment moves the items with
# memmove
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
items = [str(i) for i in range(64)]


def splice():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                items[1:1] = ["x"] * 8
                del items[1:9]
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                items[1]
                for _ in items:
                    pass
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (splice, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
