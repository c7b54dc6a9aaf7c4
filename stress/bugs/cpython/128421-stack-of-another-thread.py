# python/cpython#128421: traceback functions on another thread's frames read its instruction
# pointer and locals
import sys
import threading
import time
import traceback

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def deep(n):
    local = [n]
    return deep(n - 1) if n else local


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
                    traceback.extract_stack(frame, limit=20)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (recurse, recurse, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
