# python/cpython#144774: exc.__setstate__(d) walks a dict that another thread changes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Error(Exception):
    pass


state = {"a": [1], "b": [2]}


def restore():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                Error().__setstate__(state)
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                state["k"] = [3]
                state.pop("k", None)
                state["a"] = [4]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (restore, restore, change, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
