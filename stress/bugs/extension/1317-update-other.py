# aio-libs/multidict#1317: a.update(other) locks its target only
import os, sys, threading, time

try:
    from multidict import MultiDict
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
one, two = MultiDict(a=[1], b=[2]), MultiDict(c=[3])


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def update():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                MultiDict().update(one)
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for i in range(50):
                one['k%d' % i] = [i]
            one.clear()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (update, update, change, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
