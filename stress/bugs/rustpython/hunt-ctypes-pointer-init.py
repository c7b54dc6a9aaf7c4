# threadbare/hunt#rustpython-ctypes-pointer-init: p.contents.value = x writes through the address
# of an object that p.__init__() freed
import ctypes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
Pointer = ctypes.POINTER(ctypes.c_int)
shared = Pointer(ctypes.c_int(1))


def store():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.contents.value = 4
                shared[0] = 5
            except Exception:
                pass


def make():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.__init__(ctypes.c_int(7))
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (store, make)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
