# RustPython/RustPython#6720: the VM walks an internal dict that another thread changes
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


def threads():
    while time.monotonic() < end:
        try:
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()
        except RuntimeError as e:
            hit(repr(e))


def store():
    while time.monotonic() < end:
        try:
            box = Box()
            for i in range(20):
                setattr(box, "k%d" % i, 1)
            vars(box).clear()
        except RuntimeError as e:
            hit(repr(e))


threads = [threading.Thread(target=f) for f in (threads, store, store)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
