# threadbare/hunt#rustpython-frame-clear-locals: frame.clear() drops the locals that a write to
# frame.f_locals stores into
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def build(v):
    a = v
    b = [v]
    return sys._getframe()


shared = [build(1)] * 100


def clear():
    while time.monotonic() < end:
        shared[:] = [build(i) for i in range(100)]
        for frame in list(shared):
            frame.clear()


def store():
    while time.monotonic() < end:
        for frame in list(shared):
            frame.f_locals["a"] = "x" + str(time)[:1]


threads = [threading.Thread(target=f) for f in (clear, store)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
