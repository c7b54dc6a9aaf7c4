# python/cpython#128050: the first call of a partial that needs the slow path clears its call
# slot while others read it
import functools
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    def target(*args, **kwargs):
        pass


    partials = [functools.partial(target, a=42) for _ in range(500)]
    ready = []

    def call():
        ready.append(1)
        while len(ready) < 2:
            pass
        for partial in partials:
            partial(b=1)
            partial(1, 2, 3)

    threads = [threading.Thread(target=f) for f in (call, call)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
