# threadbare/hunt#cpython-mmap-resize-read: mmap.read() and slices copy from pages that resize()
# or close() unmaps
import mmap
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = [None] * 20


def first():
    while time.monotonic() < end:
        shared[:] = [mmap.mmap(-1, 1 << 20) for _ in shared]
        for it in list(shared):
            try:
                it.resize(4096)
                it.close()
            except Exception:
                pass


def second():
    while time.monotonic() < end:
        for it in list(shared):
            try:
                it[:]
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (first, second)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
