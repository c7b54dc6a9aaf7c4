# python/cpython#131113: popitem() empties entries and index table while a lookup without a lock
# walks them
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
table = {str(i): i for i in range(8)}
keys = list(table)


def refill():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                for key in keys:
                    table[key] = 1
                while table:
                    table.popitem()
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                for key in keys:
                    table.get(key)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (refill, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
