# threadbare/hunt#rustpython-iter-unpack-release: struct.iter_unpack() reads a bytearray that was
# emptied before the iterator counted as an export
import struct
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


class Pair:
    def __init__(self):
        self.data = bytearray(b"aabbccdd")
        self.items = struct.iter_unpack("<h", self.data)


shared = [Pair()]


def make():
    while time.monotonic() < end:
        for _ in range(100):
            pair = shared[0] = Pair()
            try:
                pair.items = struct.iter_unpack("<h", pair.data)
            except Exception:
                pass


def release():
    while time.monotonic() < end:
        for _ in range(100):
            pair = shared[0]
            try:
                next(pair.items, None)
                pair.items = None
                del pair.data[:]
                next(pair.items, None)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (make, release)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
