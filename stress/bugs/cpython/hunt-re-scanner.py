# threadbare/hunt#cpython-re-scanner: one scanner searched by two threads: the check that it is
# not in use and the claim are two steps
import re
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
pattern = re.compile("(a)|([b-h]+)")
slot = [pattern.scanner("aXbcadefgY")]


def search():
    while time.monotonic() < end:
        for _ in range(100):
            it = slot[0] = pattern.scanner("aXbcadefgY" * 20)
            try:
                while it.search():
                    pass
            except ValueError:
                pass


def follow():
    while time.monotonic() < end:
        try:
            for _ in range(1000):
                slot[0].search()
        except ValueError:
            pass


threads = [threading.Thread(target=f) for f in (search, follow)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
