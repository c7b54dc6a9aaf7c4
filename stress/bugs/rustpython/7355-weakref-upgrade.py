# RustPython/RustPython#7355: collector or callback checks the strong count, then takes a
# reference
import gc
import sys
import threading
import time
import weakref

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Value:
    pass


slot = [weakref.ref(Value())]


def drop():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                it = Value()
                slot[0] = weakref.ref(it, lambda r: None)
                del it
        except Exception:
            pass


def upgrade():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                slot[0]()
        except Exception:
            pass


def collect():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                gc.collect()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (drop, upgrade, upgrade, collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
