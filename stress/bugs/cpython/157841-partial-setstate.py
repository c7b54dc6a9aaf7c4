# python/cpython#157841: partial.__setstate__() frees function, args and kwargs while repr() or
# a call uses them
import functools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def target(*args):
    return args


partial = functools.partial(target, 1)


def set_state():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                partial.__setstate__((target, ([1],), {}, None))
        except Exception:
            pass


def use():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                repr(partial)
                partial()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (set_state, set_state, use, use)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
