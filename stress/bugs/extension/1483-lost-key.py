# aio-libs/multidict#1483: two updates of one key: the drop of the old value suspends the lock
# while the entry is marked
import os, sys, threading, time

try:
    from multidict import MultiDict
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = MultiDict(key=[0])


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def update():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                shared.update(key=[1])
                if 'key' not in shared:
                    hit('the key disappeared')
        except RuntimeError:
            pass


threads = [threading.Thread(target=f) for f in (update, update)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
