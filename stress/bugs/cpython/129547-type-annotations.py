# python/cpython#129547: C.__annotations__ makes its dict on first access
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    classes = [type("C", (), {}) for _ in range(300)]
    seen, at, turns = ([], []), [0, 0], iter((0, 1))
    ready = []

    def look():
        ready.append(1)
        while len(ready) < 2:
            pass
        me = next(turns)
        for i, cls in enumerate(classes):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(cls.__annotations__)

    threads = [threading.Thread(target=f) for f in (look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(a is not b for a, b in zip(*seen)):
        hit("one class, two __annotations__")


while time.monotonic() < end:
    turn()
