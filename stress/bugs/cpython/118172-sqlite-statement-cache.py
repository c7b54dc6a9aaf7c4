# python/cpython#118172: cached statements are shared by cursors of several threads
import os
import sqlite3
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
base = sqlite3.connect(":memory:", check_same_thread=False)
base.executescript("create table t (x); insert into t values (1), (2), (3)")
wanted = [(1,), (2,), (3,)]


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def query():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                rows = base.cursor().execute("select x from t").fetchall()
                if rows != wanted:
                    hit("rows are %r" % rows)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (query, query, query, query)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
