# python/cpython#157076: bytearray.__init__(n) resizes, drops the lock, then fills; a second one
# shrinks in between
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = bytearray(10)


def grow():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.__init__(8192)
        except Exception:
            pass


def shrink():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.__init__(1)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (grow, grow, shrink, shrink)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
