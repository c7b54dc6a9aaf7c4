# python/cpython#114944: waking all waiters against a waiter that leaves by an interrupt
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    event = threading.Event()
    ready = []

    def wait():
        ready.append(1)
        while len(ready) < 5:
            pass
        try:
            event.wait(0.0005)
        except Exception:
            pass

    def wake():
        ready.append(1)
        while len(ready) < 5:
            pass
        try:
            event.set()
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (wait, wait, wait, wait, wake)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
