# python/cpython#129533: gc.enable(), gc.disable() and gc.isenabled() share a plain flag
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def toggle():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                gc.disable()
                gc.enable()
        except Exception:
            pass


def ask():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                gc.isenabled()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (toggle, ask)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
