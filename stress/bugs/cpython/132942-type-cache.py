# python/cpython#132942: the method lookup cache when a class attribute changes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Box:
    pass


box = Box()


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                Box.m = lambda self: 1
                Box.m = lambda self: 2
                del Box.m
        except Exception:
            pass


def call():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                try:
                    box.m()
                except AttributeError:
                    pass
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, assign, call, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
