# python/cpython#128679: tracemalloc.stop() while another thread allocates or frees without the
# lock
import sys
import threading
import time
import tracemalloc
import zlib

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
data = bytes(100_000)


def toggle():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                tracemalloc.start()
                tracemalloc.stop()
        except Exception:
            pass


def compress():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                zlib.compress(data, 1)
                bytearray(100_000)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (toggle, compress, compress)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
