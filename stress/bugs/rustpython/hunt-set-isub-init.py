# threadbare/hunt#rustpython-set-isub-init: s -= other takes single items away while s.__init__()
# fills s again
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
ROUNDS = 300
numbers = set(range(0, 60, 2))


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    shared = [set() for _ in range(ROUNDS)]
    arrived = [[0] * ROUNDS, [0] * ROUNDS]

    def meet(me, i):
        arrived[me][i] = 1
        while not arrived[1 - me][i]:
            pass

    def first():
        for i, it in enumerate(shared):
            meet(0, i)
            it -= numbers

    def second():
        for i, it in enumerate(shared):
            meet(1, i)
            it.__init__(range(20))

    threads = [threading.Thread(target=f) for f in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for it in shared:
        if len(it) not in (10, 20):
            hit("a set of %d items" % len(it))


while time.monotonic() < end:
    turn()
