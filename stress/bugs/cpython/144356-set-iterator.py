# python/cpython#144356: next() on one set iterator writes its cursor outside the lock
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    items = iter({str(i) for i in range(4096)})
    seen = []
    ready = []

    def drain():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            mine = []
            for item in items:
                mine.append(item)
            seen.extend(mine)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (drain, drain)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(seen) != len(set(seen)):
        hit("an item came twice: %d for %d" % (len(seen), len(set(seen))))


while time.monotonic() < end:
    turn()
