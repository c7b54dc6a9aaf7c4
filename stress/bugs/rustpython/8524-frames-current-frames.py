# RustPython/RustPython#8524-frames: sys._current_frames() reads another thread's frame pointer
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def deep(n):
    return deep(n - 1) if n else 0


def recurse():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                deep(10)
        except Exception:
            pass


def look():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                for frame in sys._current_frames().values():
                    frame.f_lineno
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (recurse, recurse, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
