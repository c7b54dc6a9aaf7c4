# python/cpython#118332: the thread that pauses the world gives up its own lock and must take it
# back from a paused thread
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Key:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        gc.collect()
        return False


shared = {Key()}


def add():
    while time.monotonic() < end:
        try:
            shared.add(Key())
            shared.discard(Key())
            if len(shared) > 3:
                shared.clear()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (add, add, add)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
