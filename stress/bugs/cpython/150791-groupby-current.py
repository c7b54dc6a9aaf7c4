# python/cpython#150791: two next() on one groupby overwrite the current grouper and the key
# slots
import itertools
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Key:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n


def fresh():
    return itertools.groupby(Key(i // 3) for i in range(300))


slot = [fresh()]


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def walk():
    while time.monotonic() < end:
        try:
            for _, group in slot[0]:
                list(group)
            slot[0] = fresh()
        except (AttributeError, SystemError) as e:
            hit(repr(e))
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (walk, walk, walk, walk)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
