# python/cpython#153928: next() on one str iterator: check and increment of the index are
# separate, a read past the end
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fresh():
    return iter("".join(["a"] * 50) + "\u00e9\u4e00")


slot = [fresh()]


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def advance():
    while time.monotonic() < end:
        try:
            for _ in range(200):
                letter = next(slot[0], None)
                if letter is None:
                    slot[0] = fresh()
                elif letter not in "a\u00e9\u4e00":
                    hit("a letter from nowhere: %a" % letter)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (advance, advance, advance, advance)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
