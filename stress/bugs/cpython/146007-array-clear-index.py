# python/cpython#146007: array.clear() and refill against array[0]
import array
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = array.array("q", range(10))


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def refill():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                del shared[:]
                shared.extend(range(10))
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if shared[3] != 3:
                    hit("shared[3] is %r" % shared[3])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (refill, refill, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
