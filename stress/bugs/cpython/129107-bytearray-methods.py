# python/cpython#129107: any two bytearray methods of which one resizes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = bytearray(b"y" * 100)


def resize():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.extend(b"x" * 1000)
                shared.clear()
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.find(b"z")
                bytes(shared)
                shared + b"a"
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (resize, resize, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
