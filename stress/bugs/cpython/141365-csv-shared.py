# python/cpython#141365: one csv reader or writer used by several threads
import csv
import io
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fresh():
    return csv.reader("a%d,b,c" % i for i in range(100))


class Sink:
    def write(self, text):
        return len(text)


lines = ["a%d,b,c" % i for i in range(100)]
slot = [csv.reader(lines)]
writer = csv.writer(Sink())


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                row = next(slot[0], None)
                if row is None:
                    slot[0] = csv.reader(lines)
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


def write():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                writer.writerow(["x" * 50, "y", time.monotonic_ns()])
                writer.writerow(["z" * 5000])
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (read, read, write, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
