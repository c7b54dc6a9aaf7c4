# python/cpython#132245: d.update(o.__dict__) merges shared keys while another instance of the
# class adds one
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    class Record:
        pass


    first = Record()
    first.a = 1
    ready = []

    def merge():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for _ in range(500):
                {}.update(first.__dict__)
        except Exception:
            pass

    def grow():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for i in range(500):
                setattr(Record(), "k%d" % i, 1)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (merge, grow)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
