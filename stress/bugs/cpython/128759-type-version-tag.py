# python/cpython#128759: the version tag of a type is read and assigned plainly
import collections.abc
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
                Box.x = 1
                Box.y = 2
        except Exception:
            pass


def look():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                isinstance(box, collections.abc.Sized)
                box.x
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, look, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
