# python/cpython#154756: list.sort() rewrites slots with plain stores while others iterate the
# same list
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
source = [str(i) for i in range(500)]
items = list(source)


def sort():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                items[:] = source
                items.sort()
        except Exception:
            pass


def walk():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                for _ in items:
                    pass
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (sort, walk, walk)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
