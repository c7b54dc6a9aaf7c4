# threadbare/hunt#rustpython-grouper-list: list() of one group of groupby in two threads: the
# current value is checked, then taken
import itertools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = [iter(())] * 200
parents = []


def fresh():
    parents[:] = [itertools.groupby((1, 1, 2, 2)) for _ in shared]
    shared[:] = [next(groups)[1] for groups in parents]


def first():
    while time.monotonic() < end:
        fresh()
        for group in list(shared):
            list(group)


def second():
    while time.monotonic() < end:
        for group in list(shared):
            list(group)


threads = [threading.Thread(target=f) for f in (first, second)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
