# numpy/numpy#27199: arr += 1 and repr(arr) on one object array exchange elements without a lock
import os, sys, threading, time

try:
    import numpy
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
values = numpy.array([10**6 + i for i in range(50)], dtype=object)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def add():
    while time.monotonic() < end:
        try:
            global values
            for _ in range(20):
                numpy.add(values, 1, out=values)
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                values.sum()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (add, add, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
