# python/cpython#139774: first hash(datetime) in two threads
import datetime
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    values = [datetime.datetime(2000, 1, 1, 0, 0, i % 60) for i in range(500)]
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
