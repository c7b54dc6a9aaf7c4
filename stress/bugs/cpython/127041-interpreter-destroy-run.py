# python/cpython#127041: a subinterpreter starts running between the check and its destruction
import _interpreters
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    it = _interpreters.create()
    ready = []

    def use():
        ready.append(1)
        while len(ready) < 4:
            pass
        try:
            try:
                _interpreters.run_string(it, "1")
            finally:
                _interpreters.destroy(it)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (use, use, use, use)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
