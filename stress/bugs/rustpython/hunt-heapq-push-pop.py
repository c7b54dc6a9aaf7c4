# threadbare/hunt#rustpython-heapq-push-pop: heappush() swaps items at places it checked before
# heappop() shortened the list
import heapq
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = [1]


def push():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                heapq.heappush(shared, -len(shared))
            except (IndexError, RuntimeError):
                pass


def pop():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                heapq.heappop(shared)
            except (IndexError, RuntimeError):
                pass


threads = [threading.Thread(target=f) for f in (push, pop, pop)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
