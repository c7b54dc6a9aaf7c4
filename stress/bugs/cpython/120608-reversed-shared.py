# python/cpython#120608: next() on one reversed(list): index and sequence are updated without
# atomics
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fresh():
    return reversed([str(i) for i in range(4)])


slot = [fresh()]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                if next(slot[0], None) is None:
                    slot[0] = fresh()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
