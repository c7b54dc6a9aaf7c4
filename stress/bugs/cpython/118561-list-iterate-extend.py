# python/cpython#118561: iterating a list while another thread extends it
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
items = [str(i) for i in range(10)]


def extend():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                items.extend([str(len(items))] * 200)
                del items[10:]
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


threads = [threading.Thread(target=f) for f in (extend, walk, walk)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
