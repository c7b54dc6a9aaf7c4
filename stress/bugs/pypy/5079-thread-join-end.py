# pypy/pypy#5079: a thread ends while two others join it
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def round_():
    while time.monotonic() < end:
        try:
            young = threading.Thread(target=int)
            others = [threading.Thread(target=young.join) for _ in range(2)]
            young.start()
            for thread in others:
                thread.start()
            young.is_alive()
            young.join()
            for thread in others:
                thread.join()
        except (RuntimeError, AssertionError) as e:
            hit(repr(e))


threads = [threading.Thread(target=f) for f in (round_,)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
