# python/cpython#119915: threads that park on one lock; the reports on the parking itself are false.
import sys
import threading
import time

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
deadline = time.time() + seconds
lock = threading.Lock()


def contend():
    while time.time() < deadline:
        with lock:
            time.sleep(0.0001)


threads = [threading.Thread(target=contend) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
