# python/cpython#119369: thread exit waits for the reclamation lock while it holds the GIL
# switched on at run time
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def threads():
    while time.monotonic() < end:
        try:
            young = [threading.Thread(target=int) for _ in range(10)]
            for thread in young:
                thread.start()
            for thread in young:
                thread.join()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (threads, threads, threads)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
