# pypy/pypy#5575: two next() on one text file at its end
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
slot = [open(os.devnull)]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                next(slot[0], None)
        except ValueError:
            pass


def replace():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                slot[0] = open(os.devnull)
        except ValueError:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, replace)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
