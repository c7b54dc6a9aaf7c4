# python/cpython#132707: repr(gc.get_objects()) meets half-built tuples and lists of other
# threads
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
target = []


def show():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                target.append(None)
                repr(gc.get_objects()[-2000:])
        except Exception:
            pass


def allocate():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                tuple([i] for i in range(20))
                [(i, str(i)) for i in range(50)]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (show, show, allocate, allocate)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
