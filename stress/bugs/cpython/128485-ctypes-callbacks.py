# python/cpython#128485: callbacks are allocated by an allocator without a lock
import ctypes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)


def make():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                calls = [prototype(abs) for _ in range(20)]
                for call in calls:
                    call(-1)
                del calls
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (make, make, make, make)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
