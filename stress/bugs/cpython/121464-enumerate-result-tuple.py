# python/cpython#121464: two next() on one enumerate reuse the same result tuple and race the
# big index
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fresh():
    return enumerate((str(i) for i in range(1000)), sys.maxsize - 10)


slot = [enumerate([])]
items = [str(i) for i in range(100)]
slot[0] = enumerate(items, sys.maxsize - 10)


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                if next(slot[0], None) is None:
                    slot[0] = enumerate(items, sys.maxsize - 10)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
