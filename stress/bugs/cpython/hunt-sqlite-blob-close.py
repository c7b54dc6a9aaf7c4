# threadbare/hunt#cpython-sqlite-blob-close: blob[3] = x writes through a handle that close() of
# the same blob frees
import sqlite3
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
con = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
con.execute("create table b(d blob)")
con.execute("insert into b values(zeroblob(64))")
shared = [None] * 50


def first():
    while time.monotonic() < end:
        shared[:] = [con.blobopen("b", "d", 1) for _ in shared]
        for it in list(shared):
            try:
                it.close()
            except Exception:
                pass


def second():
    while time.monotonic() < end:
        for it in list(shared):
            try:
                it[3] = 101
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (first, second)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
