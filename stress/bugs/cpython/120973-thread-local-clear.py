# python/cpython#120973: destroying a threading.local walks other threads' state while they exit
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
slot = [threading.local()]


def replace():
    while time.monotonic() < end:
        try:
            slot[0].x = 1
            slot[0] = threading.local()
        except Exception:
            pass


def threads():
    while time.monotonic() < end:
        try:
            def touch():
                slot[0].x = [1]


            young = [threading.Thread(target=touch) for _ in range(5)]
            for thread in young:
                thread.start()
            for thread in young:
                thread.join()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (replace, threads, threads)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
