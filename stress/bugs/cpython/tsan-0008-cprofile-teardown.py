# devdanzin/cpython-tsan-findings#TSAN-0008: the last reference to a running Profile is dropped
# while another thread's event uses it
import cProfile
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def one():
    return len("")


def drop():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                profile = cProfile.Profile()
                profile.enable()
                one()
                del profile
        except Exception:
            pass


def call():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                one()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (drop, call, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
