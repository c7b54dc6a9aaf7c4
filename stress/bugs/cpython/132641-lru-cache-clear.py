# python/cpython#132641: cache_clear() unlinks the LRU list while a miss inserts
import functools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
@functools.lru_cache(maxsize=16)
def square(x):
    return str(x)


keys = [1000 * i for i in range(64)]


def call():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                for key in keys:
                    square(key)
        except Exception:
            pass


def clear():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                square.cache_clear()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (call, call, call, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
