# python/cpython#135325: two threads iterate one generator expression
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
slot = [(i for i in range(1000))]


def walk():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                for _ in slot[0]:
                    pass
                slot[0] = (i for i in range(1000))
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (walk, walk, walk)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
