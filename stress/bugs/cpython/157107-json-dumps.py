# python/cpython#157107: json.dumps() takes borrowed items while the list changes
import json
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = [[i] for i in range(20)]


def dump():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                json.dumps(shared)
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                for i in range(10):
                    shared[i] = [i]
                shared.pop()
                shared.append([0])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (dump, dump, change, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
