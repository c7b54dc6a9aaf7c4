# python/cpython#138101: an object is resurrected by one thread before the deallocating thread
# enters its finaliser
import sys
import threading
import time
import weakref

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Node:
    def __del__(self):
        try:
            self.back()
        except AttributeError:
            pass


slot = [None, None]


def churn():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                a, b = Node(), Node()
                a.back, b.back = weakref.ref(b), weakref.ref(a)
                slot[0], slot[1] = a, b
        except Exception:
            pass


def upgrade():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                it = slot[0].back()
                slot[0] = it
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (churn, churn, upgrade)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
