# python/cpython#131580: faulthandler.dump_traceback() from many threads while threads end
import faulthandler
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
sink = open(os.devnull, "w")


def dump():
    while time.monotonic() < end:
        try:
            faulthandler.dump_traceback(sink)
        except Exception:
            pass


def threads():
    while time.monotonic() < end:
        try:
            young = [threading.Thread(target=sum, args=(range(10),)) for _ in range(5)]
            for thread in young:
                thread.start()
            for thread in young:
                thread.join()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (dump, dump, threads)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
