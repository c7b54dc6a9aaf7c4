# python/cpython#153290: BytesIO.__setstate__() stores a new instance dict while methods look at
# the slot
import io
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
stream = io.BytesIO(b"abc")


def restore():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                stream.__setstate__((b"abcd" * 10, 0, {"x": [1]}))
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                stream.read()
                stream.getvalue()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (restore, restore, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
