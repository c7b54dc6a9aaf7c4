# python/cpython#150708: functools.cache: two first calls both compute and each returns its own
# object
import functools
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    @functools.cache
    def make(x):
        return [x]


    seen, at, turns = ([], []), [0, 0], iter((0, 1))
    ready = []

    def call():
        ready.append(1)
        while len(ready) < 2:
            pass
        me = next(turns)
        for i in range(1000):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(make(i))

    threads = [threading.Thread(target=f) for f in (call, call)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(a is not b for a, b in zip(*seen)):
        hit("make(x) is not make(x)")


while time.monotonic() < end:
    turn()
