# python/cpython#120496: two next() on one iterator skip or repeat items
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    class Sequence:
        def __getitem__(self, i):
            if i >= 2000:
                raise IndexError
            return i


    items = iter(Sequence())
    seen = []
    ready = []

    def drain():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            mine = list(items)
            seen.extend(mine)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (drain, drain)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(seen) != len(set(seen)):
        hit("an item came twice")


while time.monotonic() < end:
    turn()
