# threadbare/hunt#cpython-buffered-close-detach: close() of a BufferedReader calls the raw stream
# that detach() takes away
import io
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
slot = [io.BufferedReader(io.BytesIO(b"ab"), 8)]


def close():
    while time.monotonic() < end:
        for _ in range(500):
            it = slot[0] = io.BufferedReader(io.BytesIO(b"ab"), 8)
            try:
                it.close()
            except ValueError:
                pass


def detach():
    while time.monotonic() < end:
        for _ in range(500):
            try:
                slot[0].detach()
            except ValueError:
                pass


threads = [threading.Thread(target=f) for f in (close, detach)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
