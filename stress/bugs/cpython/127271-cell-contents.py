# python/cpython#127271: cell_contents is assigned while repr(), comparison and calls use
# borrowed contents
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def make():
    value = [0]
    return lambda: value


call = make()
cell, other = call.__closure__[0], make().__closure__[0]


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                cell.cell_contents = [1]
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                repr(cell)
                cell == other
                call()
                cell.cell_contents
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, assign, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
