# python/cpython#132713: repr(list) uses a borrowed item that another thread removes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Item:
    def __repr__(self):
        return "x" * 10


items = [Item() for _ in range(20)]


def show():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                repr(items)
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                items.pop()
                items.append(Item())
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (show, show, change, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
