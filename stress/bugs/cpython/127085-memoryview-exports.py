# python/cpython#127085: getbuffer and releasebuffer of one memoryview change its export counter
# without a lock
import os
import struct
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
view = memoryview(bytearray(64))


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def unpack():
    while time.monotonic() < end:
        try:
            for _ in range(500):
                struct.unpack_from("q", view)
        finally:
            pass


threads = [threading.Thread(target=f) for f in (unpack, unpack, unpack)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
try:
    view.release()
except BufferError as e:
    hit("after all is done: %s" % e)
