# RustPython/RustPython#skip-weakvalue: the collector against WeakValueDictionary's callback
import gc
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


def collect():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                gc.collect()
        finally:
            pass


def store():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                it = Value()
                table[10] = it
                if len(table) != 1:
                    hit("a value that is alive is not there")
                del it
        finally:
            pass


threads = [threading.Thread(target=f) for f in (collect, store)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
