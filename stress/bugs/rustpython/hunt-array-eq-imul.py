# threadbare/hunt#rustpython-array-eq-imul: a == a takes the read lock of one array twice, a
# writer waits between
import array
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = array.array("d", [0.5] * 70)


def compare():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared == shared
            except Exception:
                pass


def repeat():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.__imul__(0)
                shared.append(0.5)
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (compare, repeat)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
