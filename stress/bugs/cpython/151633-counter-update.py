# python/cpython#151633: Counter.update() adds to a borrowed count after the lock of the dict is
# gone
import collections
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
words = [str(i) for i in range(4)] * 100
counts = collections.Counter()


def count():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                counts.update(words)
        except Exception:
            pass


def clear():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                counts.clear()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (count, count, count, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
