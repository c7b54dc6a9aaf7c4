# python/cpython#153291: set_completer() against get_completer() without the lock
import readline
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def set_it():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                readline.set_completer(lambda *args: None)
        except Exception:
            pass


def get_it():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                readline.get_completer()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (set_it, set_it, get_it, get_it)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
