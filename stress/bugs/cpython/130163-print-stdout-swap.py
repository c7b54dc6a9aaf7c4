# python/cpython#130163: print() holds sys.stdout borrowed while redirect_stdout() in another
# thread frees it
import contextlib
import io
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def swap_once():
    with contextlib.redirect_stdout(io.StringIO()):
        print("x")


def swap():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                swap_once()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (swap, swap, swap, swap)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
