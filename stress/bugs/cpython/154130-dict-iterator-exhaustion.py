# python/cpython#154130: two next() reach the end of one dict iterator and both drop its only
# reference to the dict
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
slot = [iter({"a": 1, "b": 2, "c": 3, "d": 4})]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                try:
                    next(slot[0])
                except StopIteration:
                    slot[0] = iter({i: str(i) for i in range(4)})
        except (RuntimeError, TypeError):
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
