# python/cpython#128717: sys.setrecursionlimit() writes into the states of other threads
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def deep(n):
    return deep(n - 1) if n else 0


def limit():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                sys.setrecursionlimit(300)
                sys.setrecursionlimit(500)
        except Exception:
            pass


def recurse():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                deep(50)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (limit, limit, recurse, recurse)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
