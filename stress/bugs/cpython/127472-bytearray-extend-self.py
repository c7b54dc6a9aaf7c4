# python/cpython#127472: b.extend(b) reallocates while another thread scans the bytes
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
slot = [bytearray(b"*" * 5000)]


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def double():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                dirt = bytearray(b"#" * 11000)
                fresh = slot[0] = bytearray(b"*" * 5000)
                del dirt
                fresh.extend(fresh)
        except Exception:
            pass


def scan():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                found = set(bytes(slot[0]))
                if not found <= {0, 42}:
                    hit("bytes from nowhere: %s" % sorted(found)[:5])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (double, scan, scan)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
