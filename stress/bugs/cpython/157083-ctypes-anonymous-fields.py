# python/cpython#157083: the expansion of anonymous fields walks the public _fields_ list
# without a lock
import ctypes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
fields = [("f%d" % i, ctypes.c_int) for i in range(20)]


class Inner(ctypes.Structure):
    _fields_ = fields


def change():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                Inner._fields_.clear()
                Inner._fields_.extend([("f%d" % i, ctypes.c_int) for i in range(20)])
        except Exception:
            pass


def define():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                type("Outer", (ctypes.Structure,), {"_anonymous_": ["a"], "_fields_": [("a", Inner)]})
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (change, change, define, define)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
