# python/cpython#156310: the iterator over a class with only __getitem__ drops the sequence once
# per thread at the end
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Sequence:
    def __getitem__(self, i):
        if i > 3:
            raise IndexError
        return i


slot = [iter(Sequence())]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                if next(slot[0], None) is None:
                    slot[0] = iter(Sequence())
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
