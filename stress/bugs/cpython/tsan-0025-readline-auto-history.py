# devdanzin/cpython-tsan-findings#TSAN-0025: readline.set_auto_history() writes one C global
import readline
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def set_it():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                readline.set_auto_history(True)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (set_it, set_it)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
