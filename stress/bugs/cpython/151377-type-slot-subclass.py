# python/cpython#151377: assigning a dunder on a base class races the birth and death of its
# subclasses
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Base:
    pass


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                Base.__repr__ = lambda self: "x"
        except Exception:
            pass


def derive():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                repr(type("Derived", (Base,), {})())
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, derive)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
