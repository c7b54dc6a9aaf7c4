# python/cpython#152355: attributes of a frame from sys._current_frames() are read while its
# thread runs on
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def deep(n):
    local = [n]
    return deep(n - 1) if n else local


def recurse():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                deep(20)
        except Exception:
            pass


def look():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                for frame in sys._current_frames().values():
                    while frame:
                        frame.f_lineno
                        frame.f_locals
                        frame = frame.f_back
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (recurse, recurse, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
