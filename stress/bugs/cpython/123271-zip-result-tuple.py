# python/cpython#123271: two next() on one zip reuse the cached tuple
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
items = [str(i) for i in range(100)]
slot = [zip(items, items)]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                pair = next(slot[0], None)
                if pair is None:
                    slot[0] = zip(items, items)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
