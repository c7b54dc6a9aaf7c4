# python/cpython#155781: a row converter is looked up as a borrowed pointer while it is replaced
import sqlite3
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
base = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_COLNAMES, check_same_thread=False)


def register():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                sqlite3.register_converter("t", lambda data: data)
        except Exception:
            pass


def query():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                base.execute("select 1 as \"x [t]\"").fetchall()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (register, register, query)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
