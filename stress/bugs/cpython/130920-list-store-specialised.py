# python/cpython#130920: the specialised a[0] = x stores with a plain write while a[0] is read
# atomically
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
pair = [1000, 2000]


def swap():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                pair[0] = pair[1]
                pair[1] = pair[0]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (swap, swap)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
