# python/cpython#157087: d.update([pair]) reads a two-item list as borrowed pointers while its
# items are replaced
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Key:
    pass


pair = [Key(), Key()]


def merge():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                {}.update([pair])
        except Exception:
            pass


def replace():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                pair[0] = Key()
                pair[1] = Key()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (merge, merge, merge, replace, replace)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
