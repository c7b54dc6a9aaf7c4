# threadbare/hunt#rustpython-mmap-read-write: mmap.read() takes the position after write() moved
# it past what read() had counted
import mmap
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = mmap.mmap(-1, 8192)


def read():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.seek(0)
                shared.read(4096)
                shared.read(4096)
            except Exception:
                pass


def write():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.write(b"abc")
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
