# python/cpython#116621: list(set) while another thread adds and removes
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = set(range(100))


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.add(200)
                shared.discard(200)
        except RuntimeError as e:
            hit(repr(e))


def copy():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                list(shared)
        except RuntimeError as e:
            hit(repr(e))


threads = [threading.Thread(target=f) for f in (change, copy, copy)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
