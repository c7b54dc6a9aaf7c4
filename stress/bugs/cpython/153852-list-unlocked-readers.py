# python/cpython#153852: unpacking, b''.join() and marshal.dumps() read size and items of a list
# without its lock
import marshal
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
items = [b"a", b"b", b"c"]


def resize():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                items.append(b"d")
                items.pop()
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                b"".join(items)
                a, *b = items
        except Exception:
            pass


def dump():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                marshal.dumps(items)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (resize, read, dump)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
