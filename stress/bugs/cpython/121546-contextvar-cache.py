# python/cpython#121546: the per-variable cache of a ContextVar mixes values of threads
import contextvars
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
variable = contextvars.ContextVar("v")


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def own():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                me = [threading.get_ident()]
                variable.set(me)
                if variable.get() is not me:
                    hit("the value of another thread")
        finally:
            pass


threads = [threading.Thread(target=f) for f in (own, own, own)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
