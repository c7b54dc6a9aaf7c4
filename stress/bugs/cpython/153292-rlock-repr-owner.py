# python/cpython#153292: repr(RLock) reads the owner plainly: locked without owner, or unlocked
# with a count
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
                lock.acquire()
                lock.release()
        finally:
            pass


def show():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                text = repr(lock)
                if "<unlocked" in text and "count=0" not in text or "<locked" in text and ("owner=0 " in text or "count=0" in text):
                    hit(text)
        finally:
            pass


threads = [threading.Thread(target=f) for f in (hold, show)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
