# python/cpython#157666: eight or more native threads enter at once while the reclamation table
# grows
import ctypes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
call = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: None)
libc = ctypes.CDLL(None)


def enter():
    while time.monotonic() < end:
        try:
            ids = [ctypes.c_ulong() for _ in range(12)]
            for i in ids:
                libc.pthread_create(ctypes.byref(i), None, call, None)
            for i in ids:
                libc.pthread_join(i, None)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (enter, enter)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
