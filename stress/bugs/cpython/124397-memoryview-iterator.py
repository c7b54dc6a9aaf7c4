# python/cpython#124397: next() on one memoryview iterator: no lock, the view is dropped twice
# at the end
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fresh():
    return iter(memoryview(bytes(range(4))))


slot = [fresh()]


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                try:
                    next(slot[0])
                except StopIteration:
                    slot[0] = fresh()
        except ValueError as e:
            hit(repr(e))


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
