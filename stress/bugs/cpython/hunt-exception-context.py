# threadbare/hunt#cpython-exception-context: e.__context__ = x drops the old exception in two
# threads at once
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = ValueError(1)


def store():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.__context__ = KeyError(time)
                shared.__context__ = None
            except Exception:
                pass


def clear():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.__context__ = None
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (store, store, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
