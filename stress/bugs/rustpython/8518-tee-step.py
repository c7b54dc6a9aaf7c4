# RustPython/RustPython#8518: next() on one tee branch: index read and advance are two steps
import itertools
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    branch, _ = itertools.tee(iter(range(2000)))
    seen = []
    ready = []

    def drain():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            mine = list(branch)
            seen.extend(mine)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (drain, drain)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sorted(seen) != list(range(2000)):
        hit("%d items of 2000, %d different" % (len(seen), len(set(seen))))


while time.monotonic() < end:
    turn()
