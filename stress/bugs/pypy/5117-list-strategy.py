# pypy/pypy#5117: clear() and refill change a list's storage strategy between two steps of
# repr()
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = [1, 2, 3]


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.clear()
                shared.extend("ab")
                shared.clear()
                shared.extend([1, 2])
        except SystemError as e:
            hit(repr(e))
        except IndexError:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                repr(shared)
                shared[0:1]
        except SystemError as e:
            hit(repr(e))
        except IndexError:
            pass


threads = [threading.Thread(target=f) for f in (change, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
