# devdanzin/rustpython-findings#RUSTPY-0023: next, send and close of one generator: the frame is
# entered before it is claimed
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def numbers():
    yield from range(5)


slot = [numbers()]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if next(slot[0], None) is None:
                    slot[0] = numbers()
        except Exception:
            pass


def close():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                slot[0].close()
                slot[0] = numbers()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, close)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
