# python/cpython#128137: a lookup in the interned table reads string flags while another thread
# marks the string
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    stem = str(time.monotonic_ns())
    ready = []

    def make():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for i in range(100):
                type("C" + stem + str(i), (), {"a" + stem + str(i): 1})
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (make, make)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
