# python/cpython#127472: b.extend(b) reallocates while another thread scans the bytes
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
SIZE = 500_000
slot = [bytearray(b"*" * SIZE)]


def double():
    while time.monotonic() < end:
        dirt = bytearray(b"#" * (2 * SIZE + SIZE // 4))
        fresh = slot[0] = bytearray(b"*" * SIZE)
        del dirt
        try:
            fresh.extend(fresh)
        except Exception:
            pass


def scan():
    while time.monotonic() < end:
        for _ in range(5):
            if b"#" in bytes(slot[0]):
                print("hit: bytes from nowhere", flush=True)
                os._exit(1)


threads = [threading.Thread(target=f) for f in (double, scan, scan)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
