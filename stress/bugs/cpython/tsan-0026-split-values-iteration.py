# devdanzin/cpython-tsan-findings#TSAN-0026: iterating o.__dict__ while a 31st attribute turns
# the split table into a combined one
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    class Record:
        pass


    for i in range(30):
        setattr(Record(), "k%d" % i, i)
    records = [Record() for _ in range(200)]
    for record in records:
        for i in range(15):
            setattr(record, "k%d" % i, [i])
    ready = []

    def walk():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for record in records:
                try:
                    list(record.__dict__.items())
                except RuntimeError:
                    pass
        except Exception:
            pass

    def store():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for record in records:
                record.one_more = 1
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (walk, store)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()
