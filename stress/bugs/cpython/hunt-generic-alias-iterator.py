# threadbare/hunt#cpython-generic-alias-iterator: two threads at the end of iter(list[int]) both
# drop the alias
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = [None] * 200


def first():
    while time.monotonic() < end:
        shared[:] = [iter(list[int]) for _ in shared]
        for it in list(shared):
            try:
                next(it, None)
            except Exception:
                pass


def second():
    while time.monotonic() < end:
        for it in list(shared):
            try:
                list(it)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (first, second)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
