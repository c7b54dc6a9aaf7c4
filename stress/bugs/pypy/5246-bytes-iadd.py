# pypy/pypy#5246: lost updates of x += chunk on a shared variable
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    shared = [b""]
    ready = []

    def add():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for _ in range(500):
                shared[0] += b"x"
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (add, add)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(shared[0]) != 1000:
        hit("%d of 1000 bytes" % len(shared[0]))


while time.monotonic() < end:
    turn()
