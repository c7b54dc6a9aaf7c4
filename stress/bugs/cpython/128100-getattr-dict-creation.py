# python/cpython#128100: getattr() looks at the plain __dict__ slot while another thread makes
# the dict
import functools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    partials = [functools.partial(len) for _ in range(500)]
    ready = []

    def look():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for partial in partials:
                getattr(partial, "foo", None)
        except Exception:
            pass

    def store():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for partial in partials:
                partial.foo = 42
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (look, store)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
