# python/cpython#120321: next() of one generator in several threads: the frame runs twice
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def numbers():
    yield from range(20)


slot = [numbers()]


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(100):
                try:
                    next(slot[0])
                except StopIteration:
                    slot[0] = numbers()
                except ValueError:
                    pass
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
