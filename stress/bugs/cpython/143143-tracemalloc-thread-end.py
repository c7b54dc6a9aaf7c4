# python/cpython#143143: tracemalloc is stopped while threads that allocated end
import sys
import threading
import time
import tracemalloc

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def toggle():
    while time.monotonic() < end:
        try:
            tracemalloc.start()
            tracemalloc.stop()
        except Exception:
            pass


def threads():
    while time.monotonic() < end:
        try:
            young = [threading.Thread(target=lambda: bytearray(100_000)) for _ in range(10)]
            for thread in young:
                thread.start()
            for thread in young:
                thread.join()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (toggle, threads)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
