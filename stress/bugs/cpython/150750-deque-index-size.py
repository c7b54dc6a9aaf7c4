# python/cpython#150750: deque.index() takes its default stop from the size before locking
import collections
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
queue = collections.deque(range(20))


def find():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                try:
                    queue.index(50)
                except ValueError:
                    pass
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                queue.append(1)
                queue.popleft()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (find, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
