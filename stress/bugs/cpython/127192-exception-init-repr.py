# python/cpython#127192: exc.__init__() replaces args while repr() or __getstate__() reads them
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
error = Exception("x")


def init():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                error.__init__("a%d" % time.monotonic_ns())
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                repr(error)
                str(error)
                error.args
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (init, init, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
