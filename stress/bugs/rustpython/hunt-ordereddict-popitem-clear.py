# threadbare/hunt#rustpython-ordereddict-popitem-clear: OrderedDict.popitem() unlinks a node of
# an order that clear() has emptied
import collections
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = collections.OrderedDict()


def pop():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared[1] = shared[2] = shared[3] = 1
                shared.popitem()
            except Exception:
                pass


def clear():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.clear()
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (pop, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
