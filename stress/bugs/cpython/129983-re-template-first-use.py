# python/cpython#129983: the first re.sub() with a template imports and caches the compiler
# function
import os
import re
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
pattern = re.compile("(a)")


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def trial():  # runs in a process of its own: what is raced is a first use
    ready = []

    def use():
        ready.append(1)
        while len(ready) < 4:
            pass
        try:
            pattern.sub(r"\1", "a")
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (use, use, use, use)]
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
