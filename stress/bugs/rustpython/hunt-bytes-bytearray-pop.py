# threadbare/hunt#rustpython-bytes-bytearray-pop: bytes(bytearray) takes the length and then the
# bytes, pop() between the two
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = bytearray(97)


def copy():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                bytes(shared)
            except Exception:
                pass


def pop():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.pop()
                if len(shared) < 9:
                    shared.extend(b"x" * 90)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (copy, pop)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
