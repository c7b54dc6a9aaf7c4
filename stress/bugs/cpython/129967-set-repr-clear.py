# python/cpython#129967: repr(set) copies the set, the lock is dropped, clear() slips in and {}
# is printed
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = {1}


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.clear()
                shared.add(1)
        finally:
            pass


def show():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                text = repr(shared)
                if text not in ("{1}", "set()"):
                    hit("repr is " + text)
        finally:
            pass


threads = [threading.Thread(target=f) for f in (change, show, show)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
