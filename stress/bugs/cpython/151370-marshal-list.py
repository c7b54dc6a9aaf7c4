# python/cpython#151370: marshal.dumps() reads a list's array without its lock
import marshal
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = list(range(64))


def dump():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                marshal.dumps(shared)
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.append(1)
                shared.pop()
                shared.extend(range(50))
                del shared[64:]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (dump, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
