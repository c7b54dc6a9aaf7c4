# RustPython/RustPython#8556: a thread blocked on an object's lock whose holder is already
# stopped: the world never stands still
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = bytearray(200_000)


def search():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                shared.find(b"xyz")
                shared.extend(b"a")
                del shared[200_000:]
        except Exception:
            pass


def collect():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                gc.collect()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (search, search, collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
