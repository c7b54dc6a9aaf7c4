# python/cpython#129732: a new thread reserves its slot in the reclamation table while the table
# grows
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def trial():  # runs in a process of its own: what is raced is a first use
    ready = []

    def work():
        ready.append(1)
        while len(ready) < 30:
            pass
        try:
            [[] for _ in range(10)]
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in [work] * 30]
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
