# threadbare/hunt#rustpython-array-tounicode-del: array.tounicode() takes the lock of the array
# twice, del a[1:] waits between
import array
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = array.array("u", "wxyzab" * 12)


def text():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.tounicode()
            except Exception:
                pass


def delete():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                del shared[1:]
                shared.append("x")
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (text, delete)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
