# python/cpython#152276: a string is queued for merging of its count, then becomes immortal
# before the queue is handled
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    strings = ["s%d" % (time.monotonic_ns() + i) for i in range(2000)]
    shared = list(strings)
    ready = []

    def intern():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            list(map(sys.intern, strings))
            strings.clear()
        except Exception:
            pass

    def drop():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            shared.clear()
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (intern, drop)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
