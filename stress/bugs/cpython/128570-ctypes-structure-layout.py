# python/cpython#128570: structures that use the same field types are defined at once
import ctypes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    class Shared(ctypes.Structure):
        _fields_ = [("x", ctypes.c_int)]
    ready = []

    def define():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for _ in range(100):
                type("S", (ctypes.Structure,), {"_fields_": [("p", ctypes.POINTER(Shared)), ("s", Shared)]})()
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (define, define)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
