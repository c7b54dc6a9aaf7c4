# python/cpython#145036: list.__sizeof__() reads the capacity while append() and pop() resize
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
items = []


def grow():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                for _ in range(20):
                    items.append(1)
                items.clear()
        except Exception:
            pass


def size():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                items.__sizeof__()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (grow, size)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
