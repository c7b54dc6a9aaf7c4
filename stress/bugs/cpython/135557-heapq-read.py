# python/cpython#135557: heapq's C functions change the list with plain stores while list reads
# run
import heapq
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
heap = [str(i) for i in range(100)]


def push():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                heapq.heappush(heap, str(time.monotonic()))
                heapq.heappop(heap)
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                heap[0]
                heap[5]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (push, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
