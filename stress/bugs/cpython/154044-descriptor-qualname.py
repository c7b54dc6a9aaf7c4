# python/cpython#154044: the first str.upper.__qualname__ fills a cache without a lock
import array
import collections
import io
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def trial():  # runs in a process of its own: what is raced is a first use
    names = [m for t in (str, bytes, list, dict, set, int, float, bytearray, tuple) for m in vars(t).values() if hasattr(m, "__objclass__")]
    seen, at = ([], []), [0, 0]
    ready = []

    def look(me):
        ready.append(1)
        while len(ready) < 2:
            pass
        for i, m in enumerate(names):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(m.__qualname__)

    threads = [threading.Thread(target=look, args=(me,)) for me in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(a is not b for a, b in zip(*seen)):
        hit("one descriptor, two names: %r" % next(a for a, b in zip(*seen) if a is not b))


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
