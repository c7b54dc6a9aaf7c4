# python/cpython#129817: type flags change after creation, by ABCMeta.register()
import collections.abc
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    classes = [type("C", (), {"__len__": lambda self: 0}) for _ in range(30)]
    ready = []

    def register():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for cls in classes:
                collections.abc.Sequence.register(cls)
        except Exception:
            pass

    def match_it():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for cls in classes:
                match cls():
                    case [*_]:
                        pass
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (register, match_it)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
