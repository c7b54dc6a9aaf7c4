# python/cpython#143100: s &= other swaps table bodies with memcpy while `x in s` reads them
# without a lock
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = {1, 2, 3}


def swap():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                global shared
                shared &= {1, 2}
                shared |= {3}
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                3 in shared
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (swap, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
