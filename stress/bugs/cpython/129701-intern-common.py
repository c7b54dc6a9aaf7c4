# python/cpython#129701: interning one new string in several threads rewrites its reference
# count with a plain store
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    stem = str(time.monotonic_ns())
    seen, at, turns = ([], []), [0, 0], iter((0, 1))
    ready = []

    def intern():
        ready.append(1)
        while len(ready) < 2:
            pass
        me = next(turns)
        for i in range(500):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(sys.intern("k" + stem + str(i)))

    threads = [threading.Thread(target=f) for f in (intern, intern)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(a is not b for a, b in zip(*seen)):
        hit("equal interned strings are two objects")


while time.monotonic() < end:
    turn()
