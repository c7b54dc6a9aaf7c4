# python/cpython#154524: ctypes.resize() moves the buffer while memoryview() takes its address
import ctypes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
buffer = (ctypes.c_char * 64)()


def view():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                bytes(memoryview(buffer))
                memoryview(buffer).tobytes()
        except Exception:
            pass


def resize():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                ctypes.resize(buffer, 128)
                ctypes.resize(buffer, 100_000)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (view, view, view, resize)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
