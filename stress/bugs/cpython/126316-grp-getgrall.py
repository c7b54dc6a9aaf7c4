# python/cpython#126316: grp.getgrall() walks a cursor of the C library that all threads share
import grp
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
count = len(grp.getgrall())


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def ask():
    while time.monotonic() < end:
        try:
            now = len(grp.getgrall())
            if now != count:
                hit("%d groups, then %d" % (count, now))
        finally:
            pass


threads = [threading.Thread(target=f) for f in (ask, ask)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
