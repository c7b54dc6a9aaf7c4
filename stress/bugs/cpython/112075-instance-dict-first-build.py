# python/cpython#112075: two threads build the __dict__ of one instance at once
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    class Record:
        pass


    records = [Record() for _ in range(2000)]
    seen, at, turns = ([], []), [0, 0], iter((0, 1))
    ready = []

    def build():
        ready.append(1)
        while len(ready) < 2:
            pass
        me = next(turns)
        for i, record in enumerate(records):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(record.__dict__)

    threads = [threading.Thread(target=f) for f in (build, build)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for group in zip(*seen):
        if any(d is not group[0] for d in group):
            hit("one object, two __dict__")


while time.monotonic() < end:
    turn()
