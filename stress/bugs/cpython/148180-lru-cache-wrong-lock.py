# python/cpython#148180: the bounded cache locks the wrapper but calls dict functions that need
# the dict's own lock
import functools
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
@functools.lru_cache(maxsize=8)
def square(x):
    return x * x


def call():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                for i in range(20):
                    square(i)
                    gc.get_objects()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (call, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
