# devdanzin/rustpython-findings#RUSTPY-0020: repr(set) checks for empty, then takes the first
# item; clear() comes between
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = set("abcde")


def show():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                repr(shared)
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.clear()
                shared.update("abcde")
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (show, show, change, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
