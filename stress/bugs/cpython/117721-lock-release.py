# python/cpython#117721: lock.release() by a thread that is not the holder writes a plain flag
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    locks = [threading.Lock() for _ in range(2000)]
    for lock in locks:
        lock.acquire()
    released = [0, 0]
    turns = iter((0, 1))
    ready = []

    def release():
        ready.append(1)
        while len(ready) < 2:
            pass
        me = next(turns)
        for lock in locks:
            try:
                lock.release()
                released[me] += 1
            except RuntimeError:
                pass

    threads = [threading.Thread(target=f) for f in (release, release)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sum(released) != len(locks):
        hit("%d locks were released %d times" % (len(locks), sum(released)))


while time.monotonic() < end:
    turn()
