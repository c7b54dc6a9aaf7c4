# python/cpython#130263: list iterators store their index with plain writes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
items = list(range(1000))
slot = [iter(items)]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                if next(slot[0], None) is None:
                    slot[0] = iter(items)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
