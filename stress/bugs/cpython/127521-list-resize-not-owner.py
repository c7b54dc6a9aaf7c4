# python/cpython#127521: a thread that does not own a list frees its array at once while the
# owner reads it
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
items = list(range(50))


def resize():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                items.clear()
                items.extend(range(1000, 1050))
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                items[0]
                items[-1]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (resize, resize, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
