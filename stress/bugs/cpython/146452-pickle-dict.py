# python/cpython#146452: pickle.dumps(dict) iterates with borrowed pairs while the dict changes
import pickle
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = {i: [i] for i in range(20)}


def dump():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                pickle.dumps(shared)
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                for k in range(10):
                    shared[k] = list(range(k))
                    shared.pop(k, None)
                    shared[k] = [k]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (dump, dump, change, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
