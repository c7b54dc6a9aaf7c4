# RustPython/RustPython#7416-import: collector, a thread that waits for the import lock, and its
# holder parked at a safepoint
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def load():
    while time.monotonic() < end:
        try:
            sys.modules.pop("colorsys", None)
            import colorsys
        except Exception:
            pass


def collect():
    while time.monotonic() < end:
        try:
            gc.collect()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (load, load, collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
