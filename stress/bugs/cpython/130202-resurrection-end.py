# python/cpython#130202: after a finaliser resurrects an object the debug build still touches it
# while another thread frees it
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
saved = []


class Phoenix:
    def __del__(self):
        saved.append(self)


def drop():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                Phoenix()
        except Exception:
            pass


def clear():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                saved.clear()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (drop, drop, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
