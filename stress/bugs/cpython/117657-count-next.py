# python/cpython#117657: next(itertools.count()) increments with a plain add
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
    counter = itertools.count()
    seen = [[], []]
    turns = iter(seen)
    ready = []

    def take():
        ready.append(1)
        while len(ready) < 2:
            pass
        mine = next(turns)
        for _ in range(20000):
            mine.append(next(counter))

    threads = [threading.Thread(target=f) for f in (take, take)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(set(seen[0]) | set(seen[1])) != 40000:
        hit("a number came twice")


while time.monotonic() < end:
    turn()
