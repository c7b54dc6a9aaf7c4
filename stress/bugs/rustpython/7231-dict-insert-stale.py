# RustPython/RustPython#7231: d[k] = v finds a slot under a read lock, then inserts under the
# write lock
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
table = {}


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def insert():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                for i in range(60):
                    table[i] = i
        except Exception:
            pass


def clear():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                table.clear()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (insert, insert, clear)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if len(table) != len(list(table)):
    hit("%d items, %d keys" % (len(table), len(list(table))))
