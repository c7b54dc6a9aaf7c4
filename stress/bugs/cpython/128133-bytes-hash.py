# python/cpython#128133: first hash() of shared bytes in two threads
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    values = [b"x%d" % i for i in range(1000)]
    ready = []

    def hash_it():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for value in values:
                hash(value)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (hash_it, hash_it)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
