# python/cpython#144295: a resized keys table is filled with plain stores while a reader already
# looks at it
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Box:
    def read(self):
        return 1


box = Box()


def write():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                box.x = 1
                box.__dict__.pop("x", None)
        except Exception:
            pass


def call():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                box.read()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (write, call, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
