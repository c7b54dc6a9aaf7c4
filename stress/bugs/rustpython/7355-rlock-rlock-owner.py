# RustPython/RustPython#7355-rlock: release of an RLock by a thread that does not own it
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


def steal():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                try:
                    lock.release()
                    hit("a thread released a lock it does not own")
                except RuntimeError:
                    pass
        finally:
            pass


threads = [threading.Thread(target=f) for f in (hold, steal)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
