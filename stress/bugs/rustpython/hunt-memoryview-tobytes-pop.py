# threadbare/hunt#rustpython-memoryview-tobytes-pop: memoryview(b)[1:].tobytes() uses the old
# length while pop() shrinks b
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = bytearray(97)


def view():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                memoryview(shared)[1:].tobytes()
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


threads = [threading.Thread(target=f) for f in (view, pop)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
