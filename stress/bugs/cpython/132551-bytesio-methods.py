# python/cpython#132551: BytesIO write, truncate, getbuffer and close without any lock
import io
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
stream = io.BytesIO()
data = b"x" * 1000


def write():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                stream.write(data)
                stream.seek(0)
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                stream.getvalue()
                stream.getbuffer().release()
        except Exception:
            pass


def cut():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                stream.truncate(0)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (write, write, read, cut)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
