# python/cpython#130095: the invalidation counter of the pure-Python ABC loses updates on
# concurrent register()
import _py_abc
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    ready = []

    def register():
        ready.append(1)
        while len(ready) < 4:
            pass
        for _ in range(5):
            class A(metaclass=_py_abc.ABCMeta):
                pass

            isinstance(42, A)
            A.register(int)
            if not isinstance(42, A):
                hit("registered, and no instance")

    threads = [threading.Thread(target=f) for f in (register, register, register, register)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
