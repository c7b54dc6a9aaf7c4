# python/cpython#133467: C.__bases__ and C.__name__ are plain writes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class A:
    pass


class B:
    pass


class C(A):
    pass


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                C.__bases__ = (B,)
                C.__name__ = "D"
                C.__bases__ = (A,)
                C.__name__ = "C"
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                C.__base__
                C.__mro__
                C.__name__
                C.__bases__
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
