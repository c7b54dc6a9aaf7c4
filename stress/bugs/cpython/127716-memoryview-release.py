# python/cpython#127716: release() of one memoryview from several threads: test and set of the
# flag are two steps
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
buffer = bytearray(64)
slot = [memoryview(buffer)]


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def release():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                slot[0].release()
                slot[0] = memoryview(buffer)
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                bytes(slot[0])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (release, release, release, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
view = memoryview(buffer)
try:
    buffer.append(1)
    hit("resized although a view is held: the count of exports is too low")
except BufferError:
    pass
