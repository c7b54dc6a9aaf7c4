# python/cpython#125996: OrderedDict.move_to_end() against clear() on the linked list of nodes
import collections
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = collections.OrderedDict.fromkeys("abc")


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def move():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.move_to_end("a")
                shared.move_to_end("b", last=False)
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


def clear():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                shared.clear()
                shared["a"] = shared["b"] = shared["c"] = 1
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (move, move, clear, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
