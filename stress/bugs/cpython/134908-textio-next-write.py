# python/cpython#134908: iterating a text file flushes pending writes without the lock, against
# write()
import sys
import tempfile
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
stream = tempfile.TemporaryFile("w+")


def walk():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                for _ in stream:
                    pass
        except Exception:
            pass


def write():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                stream.write("x")
                stream.write("\n")
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (walk, write, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
