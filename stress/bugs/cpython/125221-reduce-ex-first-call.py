# python/cpython#125221: the first __reduce_ex__ of a process initialises a global lookup
# without a lock
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Box:
    pass


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def trial():  # runs in a process of its own: what is raced is a first use
    box = Box()
    ready = []

    def reduce():
        ready.append(1)
        while len(ready) < 2:
            pass
        box.__reduce_ex__(2)

    threads = [threading.Thread(target=f) for f in (reduce, reduce)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    child = os.fork()
    if child == 0:
        trial()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    if status:
        sys.exit(1)
