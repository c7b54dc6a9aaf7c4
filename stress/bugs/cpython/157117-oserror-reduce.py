# python/cpython#157117: OSError.__reduce__() reads args and their items while e.args is
# replaced
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
error = OSError(2, "text", "name")


def replace():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                error.args = (2, "m%d" % time.monotonic_ns())
        except Exception:
            pass


def reduce():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                error.__reduce__()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (replace, replace, reduce, reduce)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
