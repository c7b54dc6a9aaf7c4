# threadbare/hunt#rustpython-groupby-next-drain: next() of one groupby in two threads: the
# current value is taken while the other expects it
import itertools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = [None] * 300


def walk():
    while time.monotonic() < end:
        shared[:] = [itertools.groupby([1, 1, 2, 3] * 5) for _ in shared]
        for groups in list(shared):
            try:
                for _ in range(20):
                    next(groups)
            except StopIteration:
                pass


def drain():
    while time.monotonic() < end:
        for groups in list(shared):
            try:
                for key, group in groups:
                    list(group)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (walk, drain)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
