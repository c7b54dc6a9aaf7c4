# python/cpython#127582: a finaliser resurrects an object while another thread tries to take a
# reference
import sys
import threading
import time
import weakref

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Phoenix:
    def __del__(self):
        saved[0] = self


saved = [Phoenix()]
slot = [weakref.ref(saved[0])]


def drop():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                it = Phoenix()
                slot[0] = weakref.ref(it)
                del it
                saved[0] = None
        except Exception:
            pass


def upgrade():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                slot[0]()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (drop, upgrade, upgrade)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
