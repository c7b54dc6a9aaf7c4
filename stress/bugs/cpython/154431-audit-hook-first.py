# python/cpython#154431: the first sys.addaudithook() makes the list of hooks while sys.audit()
# reads it
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def trial():  # runs in a process of its own: what is raced is a first use
    called = set()
    ready = []

    def add():
        ready.append(1)
        while len(ready) < 4:
            pass
        me = threading.get_ident()
        sys.addaudithook(lambda event, args: called.add(me) if event == "x" else None)

    threads = [threading.Thread(target=f) for f in (add, add, add, add)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.audit("x")
    if len(called) != 4:
        hit("%d of 4 hooks are lost" % (4 - len(called)))


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
