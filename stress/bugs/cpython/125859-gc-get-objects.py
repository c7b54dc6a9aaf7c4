# python/cpython#125859: gc.get_objects() reuses the collector's work list links while another
# thread collects
import gc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Node:
    def __del__(self):
        gc.get_objects()


def collect():
    while time.monotonic() < end:
        try:
            a, b = Node(), Node()
            a.b, b.a = b, a
            del a, b
            gc.collect()
        except Exception:
            pass


def objects():
    while time.monotonic() < end:
        try:
            gc.get_objects()
        except Exception:
            pass


def referrers():
    while time.monotonic() < end:
        try:
            gc.get_referrers(Node)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (collect, objects, referrers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
