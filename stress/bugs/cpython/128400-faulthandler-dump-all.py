# python/cpython#128400: faulthandler.dump_traceback(all_threads=True) walks the frames of
# running threads
import faulthandler
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
sink = open(os.devnull, "w")


def deep(n):
    return deep(n - 1) if n else 0


def recurse():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                deep(20)
        except Exception:
            pass


def dump():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                faulthandler.dump_traceback(sink, all_threads=True)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (recurse, recurse, dump)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
