# threadbare/hunt#cpython-struct-reinit: Struct.__init__() frees the table of codes that unpack()
# walks
import struct
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = struct.Struct("<hh")
data = bytes(range(97, 113))


def unpack():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.unpack(data)
            except Exception:
                pass


def small():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.__init__("<" + "b" * 16)
                shared.__init__("<" + "h" * 8)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (unpack, small)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
