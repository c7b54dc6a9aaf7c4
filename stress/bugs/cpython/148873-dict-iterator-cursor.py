# python/cpython#148873: next() reads the dict pointer of an iterator while another next()
# clears it
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
slot = [iter({i: i for i in range(1000)})]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                try:
                    next(slot[0])
                except StopIteration:
                    slot[0] = iter({i: i for i in range(1000)})
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
