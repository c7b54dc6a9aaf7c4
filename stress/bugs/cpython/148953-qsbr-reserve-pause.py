# python/cpython#148953: new threads pause the world while they hold the reclamation lock
import abc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def threads():
    while time.monotonic() < end:
        try:
            young = [threading.Thread(target=int) for _ in range(40)]
            for thread in young:
                thread.start()
            for thread in young:
                thread.join()
        except Exception:
            pass


def pause():
    while time.monotonic() < end:
        try:
            cls = abc.ABCMeta("C", (), {})
            cls.__abstractmethods__ = frozenset()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (threads, threads, pause)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
