# python/cpython#135607: C types test their weak-reference list before clearing it and race with
# a new reference
import array
import collections
import sys
import threading
import time
import weakref

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
slot = [collections.deque()]


def drop():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                slot[0] = collections.deque()
        except Exception:
            pass


def refer():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                weakref.ref(slot[0])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (drop, refer, refer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
