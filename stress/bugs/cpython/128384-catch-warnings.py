# python/cpython#128384: catch_warnings() saves and restores a filter list that threads
# interleave on
import os
import sys
import threading
import time
import warnings

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    before = list(warnings.filters)
    ready = []

    def warn():
        ready.append(1)
        while len(ready) < 4:
            pass
        for _ in range(50):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.warn("w")

    threads = [threading.Thread(target=f) for f in (warn, warn, warn, warn)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if warnings.filters != before:
        hit("%d filters before, %d after" % (len(before), len(warnings.filters)))


while time.monotonic() < end:
    turn()
