# threadbare/hunt#cpython-chain-next: two next() on one itertools.chain drop the iterator of a
# part twice
import itertools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
parts = [(1,)] * 50
shared = [None] * 20


def first():
    while time.monotonic() < end:
        shared[:] = [itertools.chain(*parts) for _ in shared]
        for it in list(shared):
            try:
                list(it)
            except Exception:
                pass


def second():
    while time.monotonic() < end:
        for it in list(shared):
            try:
                list(it)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (first, second)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
