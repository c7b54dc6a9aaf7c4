# python/cpython#89967: WeakValueDictionary's bookkeeping of pending removals
import os
import sys
import threading
import time
import weakref

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Value:
    pass


table = weakref.WeakValueDictionary()


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def store():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                for i in range(20):
                    table[i] = Value()
        except (RuntimeError, KeyError, IndexError) as e:
            hit(repr(e))


def walk():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                list(table.items())
                len(table)
        except (RuntimeError, KeyError, IndexError) as e:
            hit(repr(e))


threads = [threading.Thread(target=f) for f in (store, store, walk, walk)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
