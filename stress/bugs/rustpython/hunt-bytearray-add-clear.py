# threadbare/hunt#rustpython-bytearray-add-clear: b + b takes the lock of one bytearray twice,
# clear() waits between
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = bytearray(4000)


def add():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared + shared
            except Exception:
                pass


def clear():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.clear()
                shared.append(1)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (add, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
