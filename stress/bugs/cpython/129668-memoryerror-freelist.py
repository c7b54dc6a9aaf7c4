# python/cpython#129668: MemoryError instances come from one free list without a lock
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def fail():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                try:
                    raise MemoryError
                except MemoryError as e:
                    e.owner = threading.get_ident()
                    if e.owner != threading.get_ident():
                        hit("an exception of another thread")
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (fail, fail, fail, fail)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
