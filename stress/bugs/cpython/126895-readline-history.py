# python/cpython#126895: readline calls from several threads
import readline
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def add():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                readline.add_history("line %d" % time.monotonic_ns())
                readline.clear_history()
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                readline.get_history_item(1)
                readline.set_completer(lambda *args: None)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (add, add, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
