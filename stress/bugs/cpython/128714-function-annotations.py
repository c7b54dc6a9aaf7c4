# python/cpython#128714: f.__annotations__ is built on first access by several threads
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    def make():
        def f(x: int, y: str) -> None:
            pass

        return f


    functions = [make() for _ in range(1000)]
    seen, at, turns = ([], []), [0, 0], iter((0, 1))
    ready = []

    def look():
        ready.append(1)
        while len(ready) < 2:
            pass
        me = next(turns)
        for i, f in enumerate(functions):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(f.__annotations__)

    threads = [threading.Thread(target=f) for f in (look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(a is not b for a, b in zip(*seen)):
        hit("one function, two __annotations__")


while time.monotonic() < end:
    turn()
