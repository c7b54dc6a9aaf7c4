# python/cpython#132869: attribute lookup in split keys while other threads add names to the
# same object
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    class Record:
        pass


    records = [Record() for _ in range(200)]
    ready = []

    def touch():
        ready.append(1)
        while len(ready) < 4:
            pass
        try:
            for record in records:
                for i in range(10):
                    name = str(i)
                    getattr(record, name, None)
                    setattr(record, name, 1)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (touch, touch, touch, touch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
