# python/cpython#132565: slicing, casting and releasing views of one buffer in several threads
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
view = memoryview(bytearray(64))


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def slices():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                part = view[1:]
                part.cast("B").release()
                part.release()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (slices, slices, slices)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
try:
    view.release()
except BufferError as e:
    hit("after all is done: %s" % e)
