# python/cpython#157072: array.fromlist() converts borrowed items while the list replaces them
import array
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
source = [10**18 + i for i in range(10)]


def convert():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                array.array("Q").fromlist(source)
        except Exception:
            pass


def replace():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                for i in range(10):
                    source[i] = 10**18 + i
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (convert, convert, replace, replace)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
