# python/cpython#151707: raw FileIO.read() against close() and seek() on its plain fields
import io
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
raw = io.FileIO(__file__)


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                raw.read(10)
        except Exception:
            pass


def seek():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                raw.seek(0)
                raw.close()
                raw.__init__(__file__)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (read, seek)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
