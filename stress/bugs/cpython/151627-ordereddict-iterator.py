# python/cpython#151627: a new OrderedDict iterator reads head node and size without the lock
# while nodes are freed
import collections
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = collections.OrderedDict(a=1, b=2)


def walk():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                list(shared)
                list(reversed(shared))
                list(shared.items())
        except Exception:
            pass


def clear():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.clear()
                shared.update(a=[1], b=[2])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (walk, walk, clear, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
