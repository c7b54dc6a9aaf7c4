# python/cpython#120165: o.__class__ = B against type(o) and attribute access
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class One:
    tag = 1


class Two:
    tag = 2


object_ = One()


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                object_.__class__ = Two
                object_.__class__ = One
        finally:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if object_.tag not in (1, 2):
                    hit("tag of no class")
        finally:
            pass


threads = [threading.Thread(target=f) for f in (assign, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
