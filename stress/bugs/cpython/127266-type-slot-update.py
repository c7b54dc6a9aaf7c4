# python/cpython#127266: assigning a dunder updates type slots while other threads run
# operations that read them
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Items:
    def __len__(self):
        return 1

    def __getitem__(self, i):
        return i


items = Items()


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                Items.__len__ = lambda self: 2
                Items.__getitem__ = lambda self, i: i
        except Exception:
            pass


def use():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                len(items)
                items[0]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, use, use)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
