# python/cpython#144809: copy(deque) iterates without holding the lock
import collections
import copy
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
queue = collections.deque(range(100))


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                queue.append(1)
                queue.popleft()
        except RuntimeError as e:
            hit(repr(e))


def copy_it():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                copy.copy(queue)
        except RuntimeError as e:
            hit(repr(e))


threads = [threading.Thread(target=f) for f in (change, copy_it)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
