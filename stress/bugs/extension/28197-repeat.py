# numpy/numpy#28197: np.repeat() edits the dimensions of its shared argument in place
import os, sys, threading, time

try:
    import numpy
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
values = numpy.arange(1000)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def repeat():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if len(values.repeat(2)) != 2000:
                    hit('a wrong length')
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (repeat, repeat, repeat)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
