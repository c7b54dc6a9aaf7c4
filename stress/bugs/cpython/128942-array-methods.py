# python/cpython#128942: every mutating array.array method against any other
import array
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = array.array("i", range(10))
other = array.array("i", range(100))


def resize():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.extend(other)
                del shared[10:]
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.tolist()
                shared.append(2)
                shared.pop()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (resize, resize, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
