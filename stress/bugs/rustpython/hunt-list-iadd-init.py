# threadbare/hunt#rustpython-list-iadd-init: l += [1] adds its item between the emptying and the
# filling of l.__init__()
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
ROUNDS = 300


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    shared = [[] for _ in range(ROUNDS)]
    arrived = [[0] * ROUNDS, [0] * ROUNDS]

    def meet(me, i):
        arrived[me][i] = 1
        while not arrived[1 - me][i]:
            pass

    def first():
        for i, it in enumerate(shared):
            meet(0, i)
            it += [0]

    def second():
        for i, it in enumerate(shared):
            meet(1, i)
            it.__init__([1, 2])

    threads = [threading.Thread(target=f) for f in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for it in shared:
        if it[0] == 0:
            hit(repr(it))


while time.monotonic() < end:
    turn()
