# python/cpython#157119: the pickler takes a borrowed reducer from copyreg.dispatch_table
import copyreg
import pickle
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Thing:
    pass


class Reducer:
    def __call__(self, it):
        return Thing, ()


it = Thing()


def replace():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                copyreg.dispatch_table[Thing] = Reducer()
        except Exception:
            pass


def dump():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                pickle.dumps(it)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (replace, replace, dump, dump)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
