# python/cpython#151640: read() returns the inner bytes object, a later write() resizes it in
# place while the reader drops it
import io
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
stream = io.BytesIO(b"b" * 100)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def write():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                stream.seek(0)
                stream.write(b"a" * 200)
                stream.truncate(100)
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                stream.seek(0)
                data = stream.read()
                if not set(data) <= {0, 97, 98}:
                    hit("bytes from nowhere: %r" % set(data))
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (write, write, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
