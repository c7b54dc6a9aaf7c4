# numpy/numpy#28042: a.flags.writeable rewrites a word that other flags share
import os, sys, threading, time

try:
    import numpy
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
values = numpy.zeros(4)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def writeable():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                values.flags.writeable = False
                if values.flags.writeable:
                    hit('a flag that was cleared is set')
                values.flags.writeable = True
        except Exception:
            pass


def flat():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                values.flat
                numpy.asarray(values.flat)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (writeable, flat, flat)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
