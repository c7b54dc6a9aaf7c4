# python/cpython#154928: repr(RLock) reads the level of recursion plainly while
# _acquire_restore() writes it
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
lock = threading.RLock()


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def hold():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                lock._acquire_restore((5, threading.get_ident()))
                lock._release_save()
        finally:
            pass


def show():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                text = repr(lock)
                if "count=5" not in text and "count=0" not in text:
                    hit(text)
        finally:
            pass


threads = [threading.Thread(target=f) for f in (hold, show)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
