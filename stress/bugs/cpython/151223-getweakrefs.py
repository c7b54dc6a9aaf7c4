# python/cpython#151223: weakref.getweakrefs() reads the head of the list while references come
# and go
import sys
import threading
import time
import weakref

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Target:
    pass


slot = [Target()]


def churn():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                target = Target()
                refs = [weakref.ref(target, print) for _ in range(3)]
                slot[0] = target
                del refs
        except Exception:
            pass


def look():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                weakref.getweakrefs(slot[0])
                weakref.getweakrefcount(slot[0])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (churn, churn, look, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
