# python/cpython#146471: one cursor used by two threads
import sqlite3
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
base = sqlite3.connect(":memory:", check_same_thread=False)
base.executescript("create table t (x); insert into t values (1), (2), (3)")
cursor = base.cursor()


def query():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                cursor.execute("select x from t").fetchall()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (query, query, query)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
