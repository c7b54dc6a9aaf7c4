# python/cpython#142756: BZ2Decompressor attributes are read while decompress() writes them
import bz2
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
packed = bz2.compress(b"abc" * 100) + b"tail"
slot = [bz2.BZ2Decompressor()]


def unpack():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                slot[0] = bz2.BZ2Decompressor()
                slot[0].decompress(packed[:30])
                slot[0].decompress(packed[30:])
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                slot[0].eof
                slot[0].unused_data
                slot[0].needs_input
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (unpack, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
