# threadbare/hunt#rustpython-re-bytearray-setitem: a match holds the read lock of a bytearray and
# takes it again while b[i] = x waits
import re
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
pattern = re.compile(b"(a)|([b-h]+)")
shared = bytearray(b"aXbcadefgY")


def match():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                pattern.findall(shared)
            except Exception:
                pass


def store():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared[3] = 104
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (match, store)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
