# threadbare/hunt#cpython-buffered-reinit: BufferedReader.__init__() frees the buffer and the
# lock that seek() holds
import io
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = io.BufferedReader(io.BytesIO(b"abc"), 64)


def seek():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.seek(-1, 2)
            except Exception:
                pass


def make():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.__init__(io.BytesIO(b"abcdefgh" * 4), 512)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (seek, make)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
