# python/cpython#132643: attribute specialisation reads an instance's dict slot while another
# thread makes the dict
import functools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    class Partial(functools.partial):
        tag = 1


    objects = [Partial(len) for _ in range(300)]
    ready = []

    def look():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for o in objects:
                o.tag
                o.tag
        except Exception:
            pass

    def store():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for o in objects:
                o.x = 1
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (look, store)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
