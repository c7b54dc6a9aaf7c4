# python/cpython#124375: a collection walks all thread states while one of them is half set up
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def collect():
    while time.monotonic() < end:
        try:
            gc.collect()
        except Exception:
            pass


def start():
    while time.monotonic() < end:
        try:
            young = [threading.Thread(target=int) for _ in range(20)]
            for thread in young:
                thread.start()
            for thread in young:
                thread.join()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (collect, start)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
