# python/cpython#123471: product, pairwise, combinations and permutations reuse one result tuple
# that two next() race for
import itertools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
makers = [
    lambda: itertools.product(("x%d" % time.monotonic_ns(), "b", "c"), repeat=3),
    lambda: itertools.permutations(str(i) for i in range(4)),
    lambda: itertools.pairwise(str(i) for i in range(60)),
    lambda: itertools.combinations((str(i) for i in range(6)), 3),
]
slot = [make() for make in makers]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                for i, make in enumerate(makers):
                    if next(slot[i], None) is None:
                        slot[i] = make()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
