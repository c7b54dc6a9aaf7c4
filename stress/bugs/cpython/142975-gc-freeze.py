# python/cpython#142975: gc.freeze(), gc.collect() and gc.unfreeze() from several threads
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def freeze():
    while time.monotonic() < end:
        try:
            gc.freeze()
            gc.collect()
            gc.unfreeze()
        except Exception:
            pass


def unfreeze():
    while time.monotonic() < end:
        try:
            gc.unfreeze()
            [[] for _ in range(100)]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (freeze, unfreeze, unfreeze, unfreeze)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
