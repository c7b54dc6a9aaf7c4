# RustPython/RustPython#7416: the method cache is read while a class attribute is replaced
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Box:
    def f(self):
        return 1


box = Box()


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                Box.f = lambda self: 2
                Box.f = lambda self: 3
        except AttributeError:
            pass


def call():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if box.f() not in (1, 2, 3):
                    hit("a method that never was")
        except AttributeError:
            pass


threads = [threading.Thread(target=f) for f in (assign, call, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
