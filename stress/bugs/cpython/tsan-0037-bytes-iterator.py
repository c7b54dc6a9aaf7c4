# devdanzin/cpython-tsan-findings#TSAN-0037: next() on one bytes iterator: check and increment
# of the index are separate
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fresh():
    return iter(bytes(bytearray(b"A" * 50)))


slot = [fresh()]


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                value = next(slot[0], None)
                if value is None:
                    slot[0] = fresh()
                elif value != 65:
                    hit("a value from nowhere: %r" % value)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
